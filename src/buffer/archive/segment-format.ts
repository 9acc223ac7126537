// The bytes of an archive file: frames of zstd's own container, so that `zstd -dc FILE` prints the lines.
//   head   skippable frame: CRC-32, then compressed JSON: which numbers the file holds, and when the newest was observed
//   block  skippable frame: sizes, count, numbers, CRC-32s; followed by a zstd frame of lines `<number> <checksum> <json>`
// The head comes first so that a file can be cut to it: what was given up is known, and its room is free, without writing.
import { crc32 } from 'node:zlib';
import type { Observed } from './observed.ts';
import type { Run } from './runs.ts';

const HEAD_MAGIC = 0x184d2a5a;
const BLOCK_MAGIC = 0x184d2a5b;
const FRAME_BYTES = 8;
const BLOCK_PAYLOAD = 36;
const BLOCK_HEAD = FRAME_BYTES + BLOCK_PAYLOAD;
/** Of a head's compressed JSON; more is damage. */
const HEAD_MAX = 4_194_304;
/** Of a block's lines; an entry is smaller than Redis's 512 MB, but no event is near this. */
export const BLOCK_RAW_MAX = 67_108_864;

export interface SegmentHead {
  readonly v: 1;
  readonly runs: readonly Run[];
  /** Of its last event. */
  readonly newest: Observed;
}

export interface BlockPlace {
  /** Of the zstd frame. */
  readonly offset: number;
  readonly bytes: number;
  readonly rawBytes: number;
  readonly count: number;
  readonly first: number;
  readonly last: number;
}

export interface BlockLines {
  readonly packed: Buffer;
  readonly rawBytes: number;
  readonly count: number;
  readonly first: number;
  readonly last: number;
}

export function toHeadFrame(packedJson: Buffer): Buffer {
  const frame = Buffer.alloc(FRAME_BYTES + 4 + packedJson.length);
  frame.writeUInt32LE(HEAD_MAGIC, 0);
  frame.writeUInt32LE(4 + packedJson.length, 4);
  frame.writeUInt32LE(crc32(packedJson), FRAME_BYTES);
  packedJson.copy(frame, FRAME_BYTES + 4);
  return frame;
}

/** Bytes of the whole head frame, from the first FRAME_BYTES of a file; null: damaged. */
export function headFrameBytes(bytes: Buffer): number | null {
  if (bytes.length < FRAME_BYTES || bytes.readUInt32LE(0) !== HEAD_MAGIC) return null;
  const payload = bytes.readUInt32LE(4);
  return payload < 4 || payload > HEAD_MAX ? null : FRAME_BYTES + payload;
}

/** The compressed JSON of a head; null: damaged. */
export function packedHeadOf(bytes: Buffer): Buffer | null {
  const end = headFrameBytes(bytes);
  if (end === null || bytes.length < end) return null;
  const packed = bytes.subarray(FRAME_BYTES + 4, end);
  return crc32(packed) === bytes.readUInt32LE(FRAME_BYTES) ? packed : null;
}

export function toBlockFrames({ packed, rawBytes, count, first, last }: BlockLines): readonly Buffer[] {
  const head = Buffer.alloc(BLOCK_HEAD);
  head.writeUInt32LE(BLOCK_MAGIC, 0);
  head.writeUInt32LE(BLOCK_PAYLOAD, 4);
  head.writeUInt32LE(packed.length, 8);
  head.writeUInt32LE(rawBytes, 12);
  head.writeUInt32LE(count, 16);
  head.writeUInt32LE(crc32(packed), 20);
  head.writeBigUInt64LE(BigInt(first), 24);
  head.writeBigUInt64LE(BigInt(last), 32);
  head.writeUInt32LE(crc32(head.subarray(0, 40)), 40);
  return [head, packed];
}

/** The blocks that are whole, in order; it ends where the chain of blocks breaks. */
export function findBlocks(bytes: Buffer, from: number): readonly BlockPlace[] {
  const blocks: BlockPlace[] = [];
  for (let at = from; at + BLOCK_HEAD <= bytes.length; ) {
    const head = bytes.subarray(at, at + BLOCK_HEAD);
    const isHead =
      head.readUInt32LE(0) === BLOCK_MAGIC && head.readUInt32LE(40) === crc32(head.subarray(0, 40));
    if (!isHead) break;
    const offset = at + BLOCK_HEAD;
    const place = {
      ...{
        offset,
        bytes: head.readUInt32LE(8),
        rawBytes: head.readUInt32LE(12),
        count: head.readUInt32LE(16),
      },
      ...{ first: Number(head.readBigUInt64LE(24)), last: Number(head.readBigUInt64LE(32)) },
    };
    const packed = bytes.subarray(offset, offset + place.bytes);
    const isWhole = packed.length === place.bytes && crc32(packed) === head.readUInt32LE(20);
    if (isWhole && place.rawBytes <= BLOCK_RAW_MAX) blocks.push(place);
    at = offset + place.bytes;
  }
  return blocks;
}
