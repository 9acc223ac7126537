// Bytes of /dev/kmsg -> records. `6,339,5140900,-;text`, then lines with a space in front that belong to it (Documentation/ABI/testing/dev-kmsg).
// Pure. What a program wrote into the log is left out: it cannot claim the kernel's facility.

export interface KernelRecord {
  /** Number of the record in this boot. */
  readonly sequence: number;
  readonly uptimeMs: number;
  /** Bytes that do not print are escaped by the kernel: one line. */
  readonly text: string;
}

/** A record with all that belongs to it is shorter. */
const MAX_LINE = 8_192;
const head = /^(\d{1,4}),(\d{1,15}),(\d{1,16}),[^;]*;(.*)$/;
const KERNEL_FACILITY = 0;
const LINE_FEED = 0x0a;

export interface KernelLogParser {
  push(chunk: Uint8Array): void;
  /** What has begun is not continued: another stream follows. */
  reset(): void;
}

export function createKernelLogParser(onRecord: (record: KernelRecord) => void): KernelLogParser {
  let rest = Buffer.alloc(0);
  let isTooLong = false;
  return {
    push(chunk) {
      let bytes = Buffer.concat([rest, chunk]);
      for (let end = bytes.indexOf(LINE_FEED); end !== -1; end = bytes.indexOf(LINE_FEED)) {
        const record = isTooLong ? null : parseKernelRecord(bytes.toString('latin1', 0, end));
        isTooLong = false;
        bytes = bytes.subarray(end + 1);
        if (record !== null) onRecord(record);
      }
      isTooLong ||= bytes.length > MAX_LINE;
      rest = isTooLong ? Buffer.alloc(0) : Buffer.from(bytes);
    },
    reset() {
      rest = Buffer.alloc(0);
      isTooLong = false;
    },
  };
}

/** null: no record of the kernel's own. */
export function parseKernelRecord(line: string): KernelRecord | null {
  if (line.length > MAX_LINE) return null;
  const match = head.exec(line);
  if (match === null) return null;
  const [, priority, sequence, microseconds, text = ''] = match;
  if (Number(priority) >> 3 !== KERNEL_FACILITY) return null;
  return { sequence: Number(sequence), uptimeMs: Number(microseconds) / 1_000, text };
}
