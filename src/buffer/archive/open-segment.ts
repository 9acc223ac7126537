// The bytes of one archive file -> which blocks of it can be read, and which numbers are lost; and a block -> its entries.
import { promisify } from 'node:util';
import { crc32, zstdDecompress } from 'node:zlib';
import type { RawEntry } from '../stored-entry.ts';
import { countOf, type Run, runsWithout } from './runs.ts';
import {
  type BlockPlace,
  findBlocks,
  headFrameBytes,
  packedHeadOf,
  type SegmentHead,
} from './segment-format.ts';
import type { SegmentFile } from './segment-name.ts';

const HEAD_JSON_MAX = 16_777_216;
/** Of one step of unpacking: a block in one step, and no more memory for a head than it needs. */
const [CHUNK_MIN, CHUNK_MAX] = [4_096, 524_288];
const decompress = promisify(zstdDecompress);

/** Events of a file that cannot be read. */
export interface Lost {
  readonly count: number;
  /** Null: the head is damaged too, so it is only known that they lie in the segment's range. */
  readonly runs: readonly Run[] | null;
}

export interface OpenSegment {
  readonly bytes: Buffer;
  readonly blocks: readonly BlockPlace[];
  /** Null: everything is whole. */
  readonly lost: Lost | null;
}

/** Never throws for what the bytes are. */
export async function openSegment(file: SegmentFile, bytes: Buffer): Promise<OpenSegment> {
  const headBytes = headFrameBytes(bytes);
  const isWhole = bytes.length === file.bytes && crc32(bytes) === file.crc;
  // Without a head it is unknown where the blocks begin.
  const blocks = headBytes === null ? [] : findBlocks(bytes, headBytes);
  const found = blocks.reduce((sum, { count }) => sum + count, 0);
  if (isWhole && found === file.count) return { bytes, blocks, lost: null };
  const head = await readHead(bytes);
  if (head === null) return { bytes, blocks, lost: lostOf(file.count - found, null) };
  const taken = blocks.map(({ first, last }): Run => [first, last]);
  const runs = runsWithout(head.runs, taken);
  return { bytes, blocks, lost: lostOf(countOf(runs), runs) };
}

function lostOf(count: number, runs: readonly Run[] | null): Lost | null {
  return count > 0 ? { count, runs } : null;
}

/** Null: damaged. */
export async function readHead(bytes: Buffer): Promise<SegmentHead | null> {
  const packed = packedHeadOf(bytes);
  if (packed === null) return null;
  const json = await unpack(packed, HEAD_JSON_MAX);
  if (json === null) return null;
  // What its checksum vouches for was written by SegmentBuilder.
  return JSON.parse(json) as SegmentHead;
}

/** Null: damaged, whatever the checksum says. */
export async function readBlock(
  { bytes }: OpenSegment,
  place: BlockPlace,
  generation: number,
): Promise<readonly RawEntry[] | null> {
  const packed = bytes.subarray(place.offset, place.offset + place.bytes);
  const text = await unpack(packed, place.rawBytes);
  return text === null
    ? null
    : text
        .split('\n')
        .slice(0, -1)
        .map((line) => toRawEntry(line, generation));
}

function toRawEntry(line: string, generation: number): RawEntry {
  const numberEnd = line.indexOf(' ');
  const checksumEnd = line.indexOf(' ', numberEnd + 1);
  const id = `${generation}-${line.slice(0, numberEnd)}`;
  return [id, ['e', line.slice(checksumEnd + 1), 'c', line.slice(numberEnd + 1, checksumEnd)]];
}

async function unpack(packed: Buffer, maxBytes: number): Promise<string | null> {
  try {
    return (
      await decompress(packed, {
        maxOutputLength: maxBytes,
        chunkSize: Math.max(CHUNK_MIN, Math.min(maxBytes, CHUNK_MAX)),
      })
    ).toString();
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    if (code?.startsWith('ZSTD_') || code?.startsWith('ERR_') || code?.startsWith('Z_')) return null;
    throw thrown;
  }
}
