// Reads events out of the archive, in order over all files of a segment, with a few unpacked blocks kept for the next page.
import { compareEventIds, type EventId, type StoredEvent } from '../../contracts/event.ts';
import type { EventData } from '../../contracts/event-types.ts';
import { parseEntry } from '../stored-entry.ts';
import type { ArchiveFiles } from './archive-files.ts';
import { type ArchiveIndex, lastOf, type Segment } from './archive-index.ts';
import { toGaps } from './gap-data.ts';
import { LatestUsed } from './latest-used.ts';
import { type Lost, type OpenSegment, openSegment, readBlock } from './open-segment.ts';
import type { BlockPlace } from './segment-format.ts';
import { formatSegmentName, type SegmentFile } from './segment-name.ts';

/** Compressed files, about 1 MB each: two consumers at different places, two files a segment. */
const FILES_KEPT = 4;
/** Unpacked blocks, about half a MB of memory each. */
const BLOCKS_KEPT = 6;
/** The disk or a person took it: it will not come back by waiting. */
const GONE_CODES = ['ENOENT', 'EIO', 'EISDIR', 'EUCLEAN', 'EBADMSG'];

type Slot = { readonly ok: true; readonly event: StoredEvent } | { readonly ok: false; readonly id: EventId };
type Gap = EventData<'buffer.gap'>;

export interface ArchivePage {
  readonly events: readonly StoredEvent[];
  /** Entries whose own checksum is wrong. */
  readonly damaged: readonly EventId[];
  readonly position: EventId;
}

export interface ArchiveReaderOptions {
  readonly files: ArchiveFiles;
  readonly index: ArchiveIndex;
  /** A part that cannot be read, told once in this run. */
  readonly onLost: (gap: Gap) => void;
  /** false: the file was given up or trimmed, and whoever did that tells it. */
  readonly isExpected: (file: SegmentFile) => boolean;
}

export class ArchiveReader {
  readonly #options: ArchiveReaderOptions;
  readonly #opened = new LatestUsed<OpenSegment>(FILES_KEPT);
  readonly #blocks = new LatestUsed<readonly Slot[]>(BLOCKS_KEPT);
  readonly #told = new Set<string>();

  constructor(options: ArchiveReaderOptions) {
    this.#options = options;
  }

  /** Null: the archive has nothing after `from`. Rejects with the system's error where waiting may help. */
  async read(from: EventId, count: number): Promise<ArchivePage | null> {
    for (let position = from; ; ) {
      const segment = this.#options.index.after(position);
      if (segment === undefined) return position === from ? null : { events: [], damaged: [], position };
      const slots = await this.#slotsAfter(segment, position);
      const last = slots.at(-1);
      if (last === undefined) {
        position = lastOf(segment);
        continue;
      }
      const page = slots.slice(0, count);
      const events = page.flatMap((slot) => (slot.ok ? [slot.event] : []));
      const damaged = page.flatMap((slot) => (slot.ok ? [] : [slot.id]));
      return { events, damaged, position: idOf(page.at(-1) ?? last) };
    }
  }

  /** What follows `position` up to the nearest end of a block; empty: nothing in this segment. */
  async #slotsAfter(segment: Segment, position: EventId): Promise<readonly Slot[]> {
    const { generation } = segment;
    const after = position.generation === generation ? position.number : 0;
    const found: { readonly file: SegmentFile; readonly opened: OpenSegment; readonly block: BlockPlace }[] =
      [];
    for (const file of segment.files) {
      const opened = await this.#open(file);
      const block = opened.blocks.find(({ last }) => last > after);
      if (block !== undefined) found.push({ file, opened, block });
    }
    const upTo = Math.min(...found.map(({ block }) => block.last));
    const parts = await Promise.all(
      found
        .filter(({ block }) => block.first <= upTo)
        .map(async ({ file, opened, block }) => {
          const slots = await this.#slotsOf(file, opened, block);
          return slots.filter((slot) => idOf(slot).number > after && idOf(slot).number <= upTo);
        }),
    );
    const [first = [], ...others] = parts;
    const slots =
      others.length === 0 ? first : parts.flat().sort((a, b) => compareEventIds(idOf(a), idOf(b)));
    // A block of which nothing can be read must not hold the reader up.
    if (slots.length > 0 || found.length === 0) return slots;
    return this.#slotsAfter(segment, { generation, number: upTo });
  }

  #open(file: SegmentFile): Promise<OpenSegment> {
    const name = formatSegmentName(file);
    return this.#opened.get(name, async () => {
      const bytes = await this.#bytesOf(file, name);
      const opened = await openSegment(file, bytes);
      if (opened.lost !== null) this.#tell(name, file, opened.lost);
      return opened;
    });
  }

  async #bytesOf(file: SegmentFile, name: string): Promise<Buffer> {
    const { files, isExpected } = this.#options;
    try {
      return await files.read(name, file.bytes + 1);
    } catch (thrown) {
      const { code = '' } = thrown as NodeJS.ErrnoException;
      if (!GONE_CODES.includes(code)) throw thrown;
      if (!isExpected(file)) this.#told.add(name);
      return Buffer.alloc(0);
    }
  }

  #slotsOf(file: SegmentFile, opened: OpenSegment, block: BlockPlace): Promise<readonly Slot[]> {
    const name = `${formatSegmentName(file)}@${block.offset}`;
    return this.#blocks.get(name, async () => {
      const entries = await readBlock(opened, block, file.generation);
      if (entries !== null) return entries.map(parseEntry);
      this.#tell(name, file, { count: block.count, runs: [[block.first, block.last]] });
      return [];
    });
  }

  #tell(key: string, file: SegmentFile, lost: Lost): void {
    if (this.#told.has(key)) return;
    this.#told.add(key);
    const { generation, first, last } = file;
    const range = { generation, first, last, count: lost.count };
    for (const gap of toGaps('damaged-archive', range, lost.runs)) this.#options.onLost(gap);
  }
}

function idOf(slot: Slot): EventId {
  return slot.ok ? slot.event.id : slot.id;
}
