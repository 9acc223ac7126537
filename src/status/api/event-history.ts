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
    const older = await readBetween(read, from, end);
    looked += count;
    for (const event of older.toReversed()) {
      if (!event.type.startsWith(type)) continue;
      found.push(event);
      if (found.length === limit) return { events: jsonOf(found), next: formatEventId(event.id) };
    }
    // Damaged, or given up before others: that nothing is here does not say that nothing is older.
    if (older.length === 0 && !(await hasBefore(read, end))) return { events: jsonOf(found), next: null };
    end = { ...end, number: from.number + 1 };
  }
  return { events: jsonOf(found), next: end.number > 1 ? formatEventId(end) : null };
}

/** All that is stored between the two, which are of one generation; one read may stop where the archive's blocks do. */
async function readBetween(read: ReadEvents, from: EventId, end: EventId): Promise<readonly StoredEvent[]> {
  const found: StoredEvent[] = [];
  for (let after = from; isBefore(after, { ...end, number: end.number - 1 }); ) {
    const { events, position } = await read(after, end.number - 1 - after.number);
    found.push(...events.filter(({ id }) => isBefore(id, end)));
    if (!isBefore(after, position)) break;
    after = position;
  }
  return found;
}

/** Is anything of its generation stored before it? */
async function hasBefore(read: ReadEvents, end: EventId): Promise<boolean> {
  const start = { ...end, number: 0 };
  const { position } = await read(start, 1);
  return isBefore(start, position) && isBefore(position, end);
}

function isBefore(a: EventId, b: EventId): boolean {
  return compareEventIds(a, b) < 0;
}

function jsonOf(events: readonly StoredEvent[]): readonly string[] {
  return events.map(({ json }) => json);
}
