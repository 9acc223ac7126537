// Recorded monitor output -> the same records as the kernel and udev would print them now: fresh sequence numbers in the
// recorded order, a fresh device address, and for each record how long after the first it is due. Pure.

export interface DueRecord {
  /** After the first record of the recording. */
  readonly afterMs: number;
  /** The record's text with the empty line that ends it, for the moment at which it is printed. */
  textAt(uptimeSeconds: number): string;
}

export interface Stamps {
  /** The first number to use. */
  readonly seqnum: number;
  readonly bus: number;
  readonly address: number;
}

/** A slow recording machine must not make a slow show. */
const longestGapMs = 200;

export function restampRecords(
  recording: string,
  { seqnum, bus, address }: Stamps,
): { readonly records: readonly DueRecord[]; readonly nextSeqnum: number } {
  const blocks = recording.split(/\n{2,}/).filter((block) => /^(KERNEL|UDEV) *\[/.test(block.trimStart()));
  const recorded = [...new Set(blocks.flatMap((block) => /^SEQNUM=(\d+)$/m.exec(block)?.[1] ?? []))]
    .map(Number)
    .sort((a, b) => a - b);
  const fresh = new Map(recorded.map((old, index) => [old, seqnum + index]));
  let before: number | null = null;
  let afterMs = 0;
  const records = blocks.map((block): DueRecord => {
    const text = block
      .trim()
      .replace(/^SEQNUM=(\d+)$/m, (_line, old: string) => `SEQNUM=${fresh.get(Number(old))}`);
    const at = Number(/^(?:KERNEL|UDEV) *\[([0-9.]+)\]/.exec(text)?.[1] ?? 0) * 1_000;
    if (before !== null) afterMs += Math.min(Math.max(at - before, 0), longestGapMs);
    before = at;
    return { afterMs, textAt: (uptimeSeconds) => `${stamped(text, uptimeSeconds, bus, address)}\n\n` };
  });
  return { records, nextSeqnum: seqnum + recorded.length };
}

function stamped(text: string, uptimeSeconds: number, bus: number, address: number): string {
  const three = (value: number) => String(value).padStart(3, '0');
  return text
    .replace(/^(KERNEL|UDEV) *\[[0-9.]+\]/, (head) => head.replace(/[0-9.]+/, uptimeSeconds.toFixed(6)))
    .replace(/^USEC_INITIALIZED=\d+$/m, `USEC_INITIALIZED=${Math.round(uptimeSeconds * 1e6)}`)
    .replace(/^DEVNUM=\d+$/m, `DEVNUM=${three(address)}`)
    .replace(/^DEVNAME=(\/dev\/)?bus\/usb\/\d+\/\d+$/m, `DEVNAME=$1bus/usb/${three(bus)}/${three(address)}`)
    .replace(/^(MAJOR=189\nMINOR=)\d+$/m, `$1${(bus - 1) * 128 + address - 1}`);
}
