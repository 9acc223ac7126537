// The stored events backwards: pages of them before an id, newest first, by reads that go forwards.
import type { ReadEvents } from '../../contracts/buffer.ts';
import { compareEventIds, type EventId, formatEventId, type StoredEvent } from '../../contracts/event.ts';

/** A filter that finds little must not read everything: so many events are looked at for one page. */
const MOST_LOOKED_AT = 4_000;

export interface HistoryPage {
  /** The exact JSON of each. */
  readonly events: readonly string[];
  /** Where to go on; null: nothing older is stored, or it is of an earlier generation. */
  readonly next: string | null;
}

export async function readHistory(
  read: ReadEvents,
  options: {
    readonly last: EventId | null;
    readonly before: EventId | null;
    readonly limit: number;
    readonly type: string;
  },
): Promise<HistoryPage> {
  const { last, limit, type } = options;
  if (last === null) return { events: [], next: null };
  let end: EventId = options.before ?? { ...last, number: last.number + 1 };
  const found: StoredEvent[] = [];
  for (let looked = 0; looked < MOST_LOOKED_AT && end.number > 1; ) {
    const count = Math.max(limit, 100);
    const from = { ...end, number: Math.max(0, end.number - 1 - count) };
    const { events } = await read(from, count);
    const older = events.filter(({ id }) => compareEventIds(id, end) < 0);
    looked += count;
    for (const event of older.toReversed()) {
      if (!event.type.startsWith(type)) continue;
      found.push(event);
      if (found.length === limit) return { events: jsonOf(found), next: formatEventId(event.id) };
    }
    if (older.length === 0) return { events: jsonOf(found), next: null };
    end = { ...end, number: from.number + 1 };
  }
  return { events: jsonOf(found), next: end.number > 1 ? formatEventId(end) : null };
}

function jsonOf(events: readonly StoredEvent[]): readonly string[] {
  return events.map(({ json }) => json);
}
