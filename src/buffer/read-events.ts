// Entries of archive and stream -> events, checked one by one. Runs for every consumer; a damaged entry is told once, however often it is read.
import type { ReadEvents } from '../contracts/buffer.ts';
import { compareEventIds, type EventId, formatEventId, type StoredEvent } from '../contracts/event.ts';
import type { EventData } from '../contracts/event-types.ts';
import { EVENTS } from './keys.ts';
import { later } from './later.ts';
import type { RedisKeeper } from './redis-keeper.ts';
import { parseEntry } from './stored-entry.ts';

/** How many damaged ids are remembered as told; beyond it the oldest may be told again. */
const TOLD_MAX = 10_000;

export interface EventPage {
  readonly events: readonly StoredEvent[];
  readonly damaged: readonly EventId[];
  readonly position: EventId;
}

export interface ReaderOptions {
  readonly keeper: RedisKeeper;
  /** Null: the archive has nothing after `from`. Rejects with `buffer.stopped` only. */
  readonly readArchive: (from: EventId, count: number) => Promise<EventPage | null>;
  /** Last id that moved to the archive. */
  readonly archiveEnd: () => EventId;
  readonly onDamaged: (gap: EventData<'buffer.gap'>) => void;
}

/** INVARIANTS: what the archive's range covers is never taken from the stream, where a copy of it may still be. */
export function createReader({ keeper, readArchive, archiveEnd, onDamaged }: ReaderOptions): ReadEvents {
  const told = new Set<string>();

  const tell = (damaged: readonly EventId[]) => {
    for (const range of toRanges(damaged.filter((id) => !told.has(formatEventId(id))))) {
      const ends = { from: formatEventId(range.from), to: formatEventId(range.to) };
      onDamaged({ reason: 'damaged-entry', count: range.to.number - range.from.number + 1, ...ends });
    }
    for (const id of damaged) told.add(formatEventId(id));
    for (const oldest of told) {
      if (told.size <= TOLD_MAX) break;
      told.delete(oldest);
    }
  };

  const readStream = async (from: EventId, count: number): Promise<EventPage> => {
    const after = `(${formatEventId(from)}`;
    const entries = await keeper.repeat('read events', (redis) =>
      redis.xrange(EVENTS, after, '+', 'COUNT', count),
    );
    const events: StoredEvent[] = [];
    const damaged: EventId[] = [];
    let position = from;
    for (const entry of entries) {
      const parsed = parseEntry(entry);
      if (parsed.ok) events.push(parsed.event);
      else damaged.push(parsed.id);
      position = parsed.ok ? parsed.event.id : parsed.id;
    }
    return { events, damaged, position };
  };

  return async (from, count) => {
    for (;;) {
      const archived = await readArchive(from, count);
      const end = archiveEnd();
      const { events, damaged, position } = archived ?? (await readStream(later(from, end), count));
      // Meanwhile more may have moved to the archive: then the stream's answer may begin behind that.
      if (archived === null && compareEventIds(archiveEnd(), end) > 0) continue;
      if (damaged.length > 0) tell(damaged);
      return { events, position };
    }
  };
}

/** Ascending ids -> runs of consecutive ones. */
export function toRanges(ids: readonly EventId[]): { readonly from: EventId; readonly to: EventId }[] {
  const ranges: { from: EventId; to: EventId }[] = [];
  for (const id of ids) {
    const range = ranges.at(-1);
    if (range?.to.generation === id.generation && range.to.number + 1 === id.number) range.to = id;
    else ranges.push({ from: id, to: id });
  }
  return ranges;
}
