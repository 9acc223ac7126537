// Stream entries -> events, checked one by one. Runs for every consumer; a damaged entry is told once, however often it is read.
import type { ReadEvents } from '../contracts/buffer.ts';
import { type EventId, formatEventId, type StoredEvent } from '../contracts/event.ts';
import type { EventData } from '../contracts/event-types.ts';
import { EVENTS } from './keys.ts';
import type { RedisKeeper } from './redis-keeper.ts';
import { parseEntry } from './stored-entry.ts';

/** How many damaged ids are remembered as told; beyond it the oldest may be told again. */
const TOLD_MAX = 10_000;

export function createReader(
  keeper: RedisKeeper,
  onDamaged: (gap: EventData<'buffer.gap'>) => void,
): ReadEvents {
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

  return async (from, count) => {
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
    if (damaged.length > 0) tell(damaged);
    return { events, position };
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
