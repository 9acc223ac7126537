// Whether udevd answers: every kernel record of a USB device is followed by its own record of the same number. Without it
// devices are still seen, but none becomes ready and the spool is not written.

export interface UdevSilence {
  kernelSaid(seqnum: number, uptimeMs: number): void;
  /** true when that ends a silence. */
  udevSaid(seqnum: number, uptimeMs: number): boolean;
  /** true when a silence has begun since the last call. */
  hasBegun(uptimeMs: number): boolean;
  isSilent(): boolean;
}

const MAX_WAITING = 4_096;

export function createUdevSilence(patienceMs: number): UdevSilence {
  const waiting = new Map<number, number>();
  let isSilent = false;
  let answeredMs = 0;
  return {
    kernelSaid(seqnum, uptimeMs) {
      if (!isSilent && waiting.size < MAX_WAITING) waiting.set(seqnum, uptimeMs);
    },
    udevSaid(seqnum, uptimeMs) {
      answeredMs = uptimeMs;
      for (const each of waiting.keys()) if (each <= seqnum) waiting.delete(each);
      const wasSilent = isSilent;
      isSilent = false;
      return wasSilent;
    },
    hasBegun(uptimeMs) {
      const [oldest] = waiting.values();
      // Behind a queue its answers are late, but they come.
      if (isSilent || oldest === undefined || uptimeMs - Math.max(oldest, answeredMs) < patienceMs)
        return false;
      isSilent = true;
      waiting.clear();
      return true;
    },
    isSilent: () => isSilent,
  };
}
