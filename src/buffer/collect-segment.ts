// The oldest entries of the stream -> one segment for the archive, page by page: of one generation, so that its name and its
// gaps are a range of numbers, with a file for each priority.
import { compareEventIds, type EventId, formatEventId, parseEventId } from '../contracts/event.ts';
import { type EventPriority, priorityOf } from '../contracts/event-priority.ts';
import type { NewSegment } from './archive/archive.ts';
import { type BuiltFile, SegmentBuilder } from './archive/segment-builder.ts';
import { EVENTS } from './keys.ts';
import type { RedisLink } from './redis-link.ts';
import { fieldOf, type RawEntry } from './stored-entry.ts';

/** Of one reply: Redis and this thread do nothing else meanwhile. */
const PAGE_BYTES = 524_288;
const PAGE_ENTRIES = 512;

export interface CollectLimits {
  readonly maxBytes: number;
  readonly maxEntries: number;
  /** What an entry takes about. */
  readonly entryBytes: number;
  /** Ends the segment before the first entry that is not. */
  readonly isWanted: (json: string, id: EventId) => boolean;
}

/** Null when there is nothing between `from` (without) and `upTo`. Throws BufferError. */
export async function collectSegment(
  link: RedisLink,
  { from, upTo }: { readonly from: EventId; readonly upTo: EventId },
  limits: CollectLimits,
): Promise<NewSegment | null> {
  const collector = new Collector(limits);
  const pageEntries = Math.max(
    1,
    Math.min(PAGE_ENTRIES, Math.floor(PAGE_BYTES / Math.max(1, limits.entryBytes))),
  );
  for (let after = from; ; ) {
    const entries = await link.exchange('read events to archive', (redis) =>
      redis.xrange(EVENTS, `(${formatEventId(after)}`, formatEventId(upTo), 'COUNT', pageEntries),
    );
    const taken = entries.findIndex((entry) => !collector.take(entry));
    if (taken !== -1 || entries.length === 0) return collector.finish();
    after = collector.last ?? after;
    if (compareEventIds(after, upTo) >= 0) return collector.finish();
  }
}

class Collector {
  readonly #limits: CollectLimits;
  readonly #builders = new Map<EventPriority, SegmentBuilder>();
  #first: EventId | null = null;
  #bytes = 0;
  #count = 0;
  last: EventId | null = null;

  constructor(limits: CollectLimits) {
    this.#limits = limits;
  }

  /** false: it does not belong to the segment any more. */
  take([idText, fields]: RawEntry): boolean {
    const id = parseEventId(idText);
    if (id === null) throw new TypeError(`Redis gave an entry id that is none: ${idText}`);
    const json = fieldOf(fields, 'e') ?? '';
    const { isWanted, maxBytes, maxEntries } = this.#limits;
    if (this.#bytes >= maxBytes || this.#count >= maxEntries || !isWanted(json, id)) return false;
    this.#first ??= id;
    if (this.#first.generation !== id.generation) return false;
    const priority = priorityOf(quickTypeOf(json));
    const builder = this.#builders.get(priority) ?? new SegmentBuilder();
    this.#builders.set(priority, builder);
    // An entry without a checksum is damaged, and stays so.
    builder.add({ number: id.number, checksum: fieldOf(fields, 'c') ?? '-', json });
    this.#bytes += json.length;
    this.#count += 1;
    this.last = id;
    return true;
  }

  async finish(): Promise<NewSegment | null> {
    if (this.#first === null || this.last === null) return null;
    const files = new Map<EventPriority, BuiltFile>();
    for (const [priority, builder] of this.#builders) files.set(priority, await builder.finish());
    return { generation: this.#first.generation, first: this.#first.number, last: this.last.number, files };
  }
}

/** The event's type without parsing all of it; what stands before it in an event has no such key. */
function quickTypeOf(json: string): string {
  return /"type":"([a-z0-9.-]{1,128})"/.exec(json)?.[1] ?? '';
}
