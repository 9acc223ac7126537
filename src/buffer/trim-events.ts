// Removes what every consumer has acknowledged, except the last events, which the page still shows.
import { compareEventIds, type EventId, formatEventId } from '../contracts/event.ts';
import { type GenerationEnds, stepBack } from './generation-ends.ts';
import { EVENTS } from './keys.ts';
import type { RedisLink } from './redis-link.ts';
import type { StoreView } from './store-view.ts';

/** Most entries of one command: a long drain must not make one that holds up the appends. */
const TRIM_MAX = 10_000;

/** Oldest id that has to stay. */
export function oldestKept(slowest: EventId, keepEvents: number, ends: GenerationEnds): EventId {
  return keepEvents === 0 ? { ...slowest, number: slowest.number + 1 } : stepBack(slowest, keepEvents, ends);
}

/** Whether the stream has something before `kept`. */
export function isToTrim(kept: EventId, view: Pick<StoreView, 'floor'>): boolean {
  return compareEventIds(view.floor, { ...kept, number: kept.number - 1 }) < 0;
}

/** Whole nodes of the stream at a time (`~`), so a few more stay than asked. Resolves with whether there is more to trim. */
export async function trimEvents(link: RedisLink, kept: EventId, view: StoreView): Promise<boolean> {
  const minId = formatEventId(kept);
  const removed = await link.exchange('trim', (redis) =>
    redis.xtrim(EVENTS, 'MINID', '~', minId, 'LIMIT', TRIM_MAX),
  );
  if (removed > TRIM_MAX / 2) return true;
  view.trimmed({ ...kept, number: kept.number - 1 });
  return false;
}
