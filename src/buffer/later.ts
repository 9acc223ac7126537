import { compareEventIds, type EventId } from '../contracts/event.ts';

/** The one of two positions that comes later; the first when they are equal. */
export function later(a: EventId, b: EventId): EventId {
  return compareEventIds(a, b) < 0 ? b : a;
}
