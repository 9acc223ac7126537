// Entries of one priority, in order -> the bytes of one archive file. Blocks are compressed while the next entries come.
import { promisify } from 'node:util';
import { constants, crc32, zstdCompress } from 'node:zlib';
import { observedIn } from './observed.ts';
import { addToRuns } from './runs.ts';
import { type BlockLines, type SegmentHead, toBlockFrames, toHeadFrame } from './segment-format.ts';

/** Of lines: what is unpacked to read one event; larger ones are hardly smaller on disk. */
const BLOCK_BYTES = 262_144;
/** A faster level is hardly larger here: most of what is left of an event is random. */
const LEVEL = 3;

/** A block is packed in one step where it is as compressible as events are. */
const PACKED_CHUNK = 65_536;

const compress = promisify(zstdCompress);
const params = { [constants.ZSTD_c_compressionLevel]: LEVEL, [constants.ZSTD_c_checksumFlag]: 1 };

export interface ArchiveEntry {
  readonly number: number;
  /** As it is stored: CRC-32 over id and JSON. */
  readonly checksum: string;
  readonly json: string;
}

export interface BuiltFile {
  readonly bytes: Buffer;
  readonly crc: number;
  readonly count: number;
}

export class SegmentBuilder {
  readonly #runs: [number, number][] = [];
  readonly #blocks: Promise<BlockLines>[] = [];
  #lines: string[] = [];
  #rawLength = 0;
  #firstOfBlock = 0;
  #count = 0;
  #newest = '';

  get count(): number {
    return this.#count;
  }

  add({ number, checksum, json }: ArchiveEntry): void {
    if (this.#lines.length === 0) this.#firstOfBlock = number;
    addToRuns(this.#runs, number);
    // A line end can only be in a damaged entry, which stays damaged.
    const line = `${number} ${checksum} ${json.includes('\n') ? json.replaceAll('\n', ' ') : json}\n`;
    this.#lines.push(line);
    this.#rawLength += line.length;
    this.#count += 1;
    this.#newest = json;
    if (this.#rawLength >= BLOCK_BYTES) this.#endBlock();
  }

  async finish(): Promise<BuiltFile> {
    this.#endBlock();
    const head: SegmentHead = { v: 1, runs: this.#runs, newest: observedIn(this.#newest) };
    const packedHead = await compress(JSON.stringify(head), { params });
    const blocks = await Promise.all(this.#blocks);
    const bytes = Buffer.concat([toHeadFrame(packedHead), ...blocks.flatMap(toBlockFrames)]);
    return { bytes, crc: crc32(bytes), count: this.#count };
  }

  #endBlock(): void {
    if (this.#lines.length === 0) return;
    const text = Buffer.from(this.#lines.join(''));
    const [count, first, last] = [this.#lines.length, this.#firstOfBlock, this.#runs.at(-1)?.[1] ?? 0];
    this.#lines = [];
    this.#rawLength = 0;
    const packing = compress(text, { params, chunkSize: PACKED_CHUNK }).then((packed) => ({
      ...{ packed, rawBytes: text.length, count, first, last },
    }));
    // finish() waits for it; until then a rejection is nobody's.
    packing.catch(() => undefined);
    this.#blocks.push(packing);
  }
}
