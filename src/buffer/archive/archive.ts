// The archive of a buffer: segments of older events in files beside Redis. Stored whole or not at all, read in order, forgotten
// when all have read them, given up when the bounds ask for it. Runs on the daemon's thread; zlib and the disk on others.
import { compareEventIds, type EventId } from '../../contracts/event.ts';
import type { EventPriority } from '../../contracts/event-priority.ts';
import type { EventData } from '../../contracts/event-types.ts';
import type { Log } from '../../contracts/log.ts';
import { errorText } from '../../lib/error-text.ts';
import type { ArchiveFiles } from './archive-files.ts';
import { ArchiveIndex, lastOf, rank, type Segment } from './archive-index.ts';
import { ArchiveReader } from './archive-reader.ts';
import { toGaps } from './gap-data.ts';
import type { Observed } from './observed.ts';
import { readHead } from './open-segment.ts';
import type { Drop } from './plan-drops.ts';
import { runsAfter } from './runs.ts';
import type { BuiltFile } from './segment-builder.ts';
import { headFrameBytes } from './segment-format.ts';
import {
  formatGoneName,
  formatSegmentName,
  type GoneReason,
  parseArchiveName,
  type SegmentFile,
} from './segment-name.ts';

type Gap = EventData<'buffer.gap'>;

/** Of a file that is cut to its head; a head is far smaller. */
const HEAD_READ_MAX = 8_388_608;

export interface ArchiveOptions {
  readonly files: ArchiveFiles;
  readonly log: Log;
  readonly onLost: (gap: Gap) => void;
}

export interface NewSegment {
  readonly generation: number;
  readonly first: number;
  readonly last: number;
  readonly files: ReadonlyMap<EventPriority, BuiltFile>;
}

/**
 * INVARIANTS
 * - A segment counts once its lead has its name, durably; until then the stream has its events, and afterwards may lose them.
 * - What is given up gets another name first (`gone`), then loses its content, and its file goes when the gap is stored: at
 *   each step a crash leaves a file that says which events are missing.
 */
export class Archive {
  readonly index = new ArchiveIndex();
  readonly reader: ArchiveReader;
  readonly #options: ArchiveOptions;
  readonly #leaving = new Set<SegmentFile>();
  #gone: { readonly file: SegmentFile; readonly reason: GoneReason }[] = [];

  constructor(options: ArchiveOptions) {
    const { files, onLost } = options;
    const { index } = this;
    this.#options = options;
    const isExpected = (file: SegmentFile) => index.has(file) && !this.#leaving.has(file);
    this.reader = new ArchiveReader({ files, index, onLost, isExpected });
  }

  /** Reads the names. Called until it resolves, before everything else. */
  async load(): Promise<void> {
    const { files, log } = this.#options;
    const names = await files.list();
    const segments: SegmentFile[] = [];
    const unfinished: string[] = [];
    const unknown: string[] = [];
    for (const name of names) {
      const parsed = parseArchiveName(name);
      if (parsed === null) unknown.push(name);
      else if (parsed.kind === 'unfinished') unfinished.push(name);
      else if (parsed.kind === 'segment') segments.push(parsed.file);
      else this.#gone.push(parsed);
    }
    if (unknown.length > 0)
      log.warn({ names: unknown.slice(0, 10), count: unknown.length }, 'files in the archive are not of it');
    unfinished.push(...this.index.load(segments).map(formatSegmentName));
    for (const name of unfinished) await this.#remove(name);
  }

  /** Resolves once the segment is durable. Rejects with the system's error; then nothing of it counts. */
  async store({ files: built, ...range }: NewSegment): Promise<void> {
    const { files } = this.#options;
    const priorities = [...built.keys()].sort((a, b) => rank(a) - rank(b));
    const parts = priorities.flatMap((priority, at) => {
      const content = built.get(priority);
      if (content === undefined) return [];
      const { bytes, count, crc } = content;
      const file: SegmentFile = { ...range, priority, isLead: at === 0, count, bytes: bytes.length, crc };
      return [{ file, bytes, name: formatSegmentName(file) }];
    });
    const [lead, ...others] = parts;
    if (lead === undefined) return;
    try {
      for (const { name, bytes } of parts) await files.create(`${name}.new`, bytes);
      for (const { name } of others) await files.rename(`${name}.new`, name);
      if (others.length > 0) await files.syncFolder();
      await files.rename(`${lead.name}.new`, lead.name);
      await files.syncFolder();
    } catch (thrown) {
      await this.#undo(parts.map(({ name }) => name));
      throw thrown;
    }
    this.index.add(parts.map(({ file }) => file));
  }

  /** Removes the segments that lie wholly before `kept`; trouble with that is only logged. */
  async forget(kept: EventId): Promise<void> {
    for (;;) {
      const [segment] = this.index.segments;
      if (segment === undefined || compareEventIds(lastOf(segment), kept) >= 0) return;
      for (const file of segment.files) this.index.remove(file);
      // The lead first: without it the others do not count.
      for (const file of segment.files) await this.#remove(formatSegmentName(file));
    }
  }

  /** Frees the room of a file without writing; what was in it is told by tellGone(). Rejects with the system's error. */
  async giveUp({ file, reason }: Drop): Promise<void> {
    const { files } = this.#options;
    const goneName = formatGoneName(file, reason);
    this.#leaving.add(file);
    try {
      await files.rename(formatSegmentName(file), goneName);
      await files.syncFolder();
      this.index.remove(file);
      this.#gone.push({ file, reason });
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT') throw thrown;
      // Somebody else removed it; reading it would have told so.
      this.index.remove(file);
    } finally {
      this.#leaving.delete(file);
    }
    await files.cut(goneName, headFrameBytes(await files.read(goneName, 8)) ?? 0);
  }

  /** Tells what was given up and not told yet; `say` resolves with whether the gaps are stored. */
  async tellGone(slowest: EventId | null, say: (gaps: readonly Gap[]) => Promise<boolean>): Promise<void> {
    const { files } = this.#options;
    while (this.#gone[0] !== undefined) {
      const { file, reason } = this.#gone[0];
      const name = formatGoneName(file, reason);
      const head = await readHead(await files.read(name, HEAD_READ_MAX).catch(() => Buffer.alloc(0)));
      const isRead = slowest !== null && compareEventIds(lastOf(file), slowest) <= 0;
      const readUpTo = slowest?.generation === file.generation ? slowest.number : 0;
      const gaps = isRead ? [] : toGaps(reason, file, head === null ? null : runsAfter(head.runs, readUpTo));
      if (gaps.length > 0 && !(await say(gaps))) return;
      this.#gone.shift();
      await this.#remove(name);
    }
  }

  /** When the newest event of a segment was observed; null: its head is damaged. */
  async newestOf(segment: Segment): Promise<Observed | null> {
    let newest: Observed | null = null;
    for (const file of segment.files) {
      const bytes = await this.#options.files.read(formatSegmentName(file), HEAD_READ_MAX);
      newest = (await readHead(bytes))?.newest ?? newest;
      // Every file of a segment ends near its end.
      if (newest !== null) break;
    }
    return newest;
  }

  async #undo(names: readonly string[]): Promise<void> {
    const [lead = '', ...others] = names;
    // As long as the lead may have its name the others must stay.
    if (!(await this.#remove(lead))) return;
    for (const name of [...others, ...names.map((one) => `${one}.new`)]) await this.#remove(name);
  }

  async #remove(name: string): Promise<boolean> {
    try {
      await this.#options.files.remove(name);
      return true;
    } catch (thrown) {
      this.#options.log.warn({ name, why: errorText(thrown) }, 'a file of the archive cannot be removed');
      return false;
    }
  }
}
