// The two slots of the mark file <-> numbers. A slot is one line of JSON padded to a disk sector, so that a torn write
// can spoil only the slot that was being written; the other one still holds the mark before it.
import { crc32 } from 'node:zlib';

export const SLOT_BYTES = 512;

export interface Mark {
  readonly seq: number;
  readonly generation: number;
  /** Highest number of this generation that may have been published. */
  readonly published: number;
  /** Highest number of this generation that Redis was known to have acknowledged when the slot was written. */
  readonly stored: number;
}

export function toSlot({ seq, generation, published, stored }: Mark): Buffer {
  const body = { v: 1, seq, generation, published, stored };
  const line = JSON.stringify({ ...body, crc: checksum(body) });
  return Buffer.from(`${line.padEnd(SLOT_BYTES - 1)}\n`, 'latin1');
}

export interface MarkFileContent {
  /** null: no slot is valid. */
  readonly mark: Mark | null;
  /** The other slot: the mark before this one, where it is still readable. */
  readonly previous: Mark | null;
}

/** Never throws: whatever the bytes are, they are a mark or they are not. */
export function parseMarkFile(bytes: Buffer): MarkFileContent {
  const marks = [0, SLOT_BYTES]
    .map((offset) => parseSlot(bytes.subarray(offset, offset + SLOT_BYTES)))
    .filter((mark) => mark !== null)
    .sort((a, b) => b.seq - a.seq);
  return { mark: marks[0] ?? null, previous: marks[1] ?? null };
}

function parseSlot(bytes: Buffer): Mark | null {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('latin1'));
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return null;
    throw thrown;
  }
  if (typeof value !== 'object' || value === null) return null;
  const { v, seq, generation, published, stored, crc } = value as Readonly<Record<string, unknown>>;
  if (v !== 1 || !isCount(seq) || !isCount(generation) || !isCount(published) || !isCount(stored))
    return null;
  const mark = { seq, generation, published, stored };
  return crc === checksum({ v, ...mark }) ? mark : null;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

/** Of the five numbers in the order of the slot, with a space between them. */
function checksum({ v, seq, generation, published, stored }: { readonly v: number } & Mark): string {
  return crc32([v, seq, generation, published, stored].join(' ')).toString(16).padStart(8, '0');
}
