// Which segments the archive has, in order, from the names of its files alone. Memory: about 300 bytes a segment, of up to
// 16,000 events each. Ids are ordered by generation first: plan-generation takes no generation below one that is still here.
import { compareEventIds, type EventId, START } from '../../contracts/event.ts';
import { type EventPriority, eventPriorities } from '../../contracts/event-priority.ts';
import type { SegmentFile } from './segment-name.ts';

export interface Segment {
  readonly generation: number;
  readonly first: number;
  readonly last: number;
  /** From the most important to the least. */
  readonly files: readonly SegmentFile[];
}

/** INVARIANTS: segments ascend by their last id; each has a lead; totals are those of the segments. */
export class ArchiveIndex {
  #segments: Segment[] = [];
  #last: EventId = START;
  #bytes = 0;
  #count = 0;

  /** Takes what a start found; returns the files that do not count: of segments whose writing was not finished. */
  load(files: readonly SegmentFile[]): readonly SegmentFile[] {
    const byRange = Map.groupBy(files, ({ generation, first, last }) => `${generation}-${first}-${last}`);
    const leftovers: SegmentFile[] = [];
    for (const group of byRange.values()) {
      const sorted = group.toSorted((a, b) => rank(a.priority) - rank(b.priority));
      const [lead] = sorted;
      if (lead?.isLead === true) this.#insert(sorted);
      else leftovers.push(...sorted);
    }
    this.#segments.sort((a, b) => compareEventIds(lastOf(a), lastOf(b)));
    return leftovers;
  }

  /** The newest segment. */
  add(files: readonly SegmentFile[]): void {
    this.#insert(files);
  }

  /** Its segment goes with its last file. */
  remove(file: SegmentFile): void {
    const index = this.#segments.findIndex(({ files }) => files.includes(file));
    const segment = this.#segments[index];
    if (segment === undefined) return;
    this.#bytes -= file.bytes;
    this.#count -= file.count;
    const files = segment.files.filter((one) => one !== file);
    if (files.length === 0) this.#segments.splice(index, 1);
    else this.#segments[index] = { ...segment, files };
  }

  has(file: SegmentFile): boolean {
    return this.after({ ...file, number: file.first - 1 })?.files.includes(file) ?? false;
  }

  get segments(): readonly Segment[] {
    return this.#segments;
  }
  get bytes(): number {
    return this.#bytes;
  }
  get count(): number {
    return this.#count;
  }
  /** Last id that was ever here, also when it is gone: what the stream has up to it is a copy. START: none. */
  get last(): EventId {
    return this.#last;
  }

  /** The first segment that has anything after `id`. */
  after(id: EventId): Segment | undefined {
    let [low, high] = [0, this.#segments.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const segment = this.#segments[middle];
      if (segment !== undefined && compareEventIds(lastOf(segment), id) > 0) high = middle;
      else low = middle + 1;
    }
    return this.#segments[low];
  }

  /** How many events lie after `id`; of the segment that `id` lies in, as many as there can be. */
  countAfter(id: EventId): number {
    let before = 0;
    for (const segment of this.#segments) {
      if (compareEventIds(lastOf(segment), id) > 0) {
        const isInside = segment.generation === id.generation && id.number >= segment.first;
        return this.#count - before - (isInside ? readOf(segment, id) : 0);
      }
      before += countOfFiles(segment);
    }
    return 0;
  }

  /** Last number of every generation that has events here. */
  get ends(): ReadonlyMap<number, number> {
    return new Map(this.#segments.map(({ generation, last }) => [generation, last]));
  }

  #insert(files: readonly SegmentFile[]): void {
    const [lead] = files;
    if (lead === undefined) return;
    const { generation, first, last } = lead;
    this.#segments.push({ generation, first, last, files });
    for (const { bytes, count } of files) {
      this.#bytes += bytes;
      this.#count += count;
    }
    if (compareEventIds({ generation, number: last }, this.#last) > 0)
      this.#last = { generation, number: last };
  }
}

export function rank(priority: EventPriority): number {
  return eventPriorities.indexOf(priority);
}

export function lastOf({ generation, last }: Pick<Segment, 'generation' | 'last'>): EventId {
  return { generation, number: last };
}

function countOfFiles({ files }: Segment): number {
  return files.reduce((sum, { count }) => sum + count, 0);
}

function readOf(segment: Segment, id: EventId): number {
  return Math.max(0, countOfFiles(segment) - (segment.last - id.number));
}
