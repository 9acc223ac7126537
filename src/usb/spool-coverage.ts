// How much the spool can vouch for a time in which nobody listened to the kernel. Pure.
// "Complete" is claimed on proof alone: the helper runs in udevd, so one and the same udevd must have lived from before the gap
// until now, and no line may be missing that it wrote.
import type { Certainty } from '../contracts/usb-change.ts';
import type { UsbDevice } from '../contracts/usb-device.ts';
import type { SpoolRecord } from './parse-spool.ts';
import type { SpoolFile } from './read-spool.ts';

export interface Gap {
  /** Everything up to this number is known; null: nothing of this boot is. */
  readonly afterSeqnum: number | null;
  /** When sight was certainly still there, where that is known otherwise than from the spool. */
  readonly sightUptimeMs: number | null;
}

export interface Coverage {
  readonly certainty: Certainty;
  readonly why: string;
  readonly blindSinceUptimeMs: number | null;
}

/** `udevdSinceUptimeMs`: when the running udevd was started; null: none runs, or it cannot be seen. */
export function spoolCoverage(gap: Gap, file: SpoolFile, udevdSinceUptimeMs: number | null): Coverage {
  const sight = lastSight(gap, file);
  const doubt = doubtOf(gap, file, { sight, udevdSinceUptimeMs });
  return {
    certainty: doubt === null ? 'complete' : 'net-state-only',
    why: doubt ?? 'the spool has every uevent of the gap',
    blindSinceUptimeMs: gap.afterSeqnum === null ? null : sight,
  };
}

function doubtOf(
  { afterSeqnum }: Gap,
  file: SpoolFile,
  {
    sight,
    udevdSinceUptimeMs,
  }: { readonly sight: number | null; readonly udevdSinceUptimeMs: number | null },
): string | null {
  if (afterSeqnum === null) return 'nothing is known of this boot before now';
  if (!file.ok) return `the spool cannot be read (${file.errno})`;
  const { isFull, refused, emptied } = file.spool;
  if (isFull) return 'the spool was full';
  if (refused.length > 0) return `the spool has damaged lines (${refused[0]})`;
  if (emptied !== null && emptied.seqnum > afterSeqnum)
    return 'the spool was emptied of uevents that were not yet stored';
  if (sight === null) return 'the spool does not reach back to the last known uevent';
  if (udevdSinceUptimeMs === null) return 'udevd is not running';
  if (udevdSinceUptimeMs > sight) return 'udevd was started inside the gap';
  return null;
}

/** The latest moment before the gap of which something proves that the bus was being watched. */
function lastSight({ afterSeqnum, sightUptimeMs }: Gap, file: SpoolFile): number | null {
  if (sightUptimeMs !== null) return sightUptimeMs;
  if (!file.ok || afterSeqnum === null) return null;
  const { records, emptied } = file.spool;
  const before = records.findLast(({ seqnum }) => seqnum <= afterSeqnum);
  if (before === undefined) return emptied?.uptimeMs ?? null;
  return Math.max(before.uptimeMs, emptied?.uptimeMs ?? 0);
}

/** Whether what was known plus the spool's records leads to what the scan found: a udevd that slept leaves a difference. */
export function leadsTo(
  known: ReadonlyMap<string, number>,
  records: readonly SpoolRecord[],
  found: readonly UsbDevice[],
): boolean {
  const addresses = new Map<string, number | null>(known);
  for (const { action, port, facts } of records) {
    if (action === 'remove') addresses.delete(port);
    else addresses.set(port, facts.address);
  }
  return (
    addresses.size === found.length &&
    found.every(({ port, address }) => {
      const expected = addresses.get(port);
      return expected === address || expected === null;
    })
  );
}
