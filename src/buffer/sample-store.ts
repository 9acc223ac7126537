// What the store says about its size and age, for the metrics; asking also shows that Redis still answers.
import type { Clock } from '../contracts/clock.ts';
import { type CloudEvent, type EventId, formatEventId } from '../contracts/event.ts';
import { EVENTS } from './keys.ts';
import type { RedisLink } from './redis-link.ts';
import { parseEntry } from './stored-entry.ts';

export interface StoreSample {
  readonly bytes: number;
  /** Seconds since the oldest event after `slowest` was observed; 0 when there is none. */
  readonly oldestAgeSeconds: number;
}

/** Throws BufferError. */
export async function sampleStore(link: RedisLink, slowest: EventId, clock: Clock): Promise<StoreSample> {
  const after = `(${formatEventId(slowest)}`;
  const [bytes, [oldest]] = await link.exchange('sample', (redis) =>
    Promise.all([redis.memory('USAGE', EVENTS), redis.xrange(EVENTS, after, '+', 'COUNT', 1)]),
  );
  const parsed = oldest === undefined ? undefined : parseEntry(oldest);
  return { bytes: Number(bytes ?? 0), oldestAgeSeconds: parsed?.ok ? ageOf(parsed.event.json, clock) : 0 };
}

/** By uptime within the same boot, else by the wall clock, which may be wrong. */
function ageOf(json: string, clock: Clock): number {
  const event = JSON.parse(json) as Partial<CloudEvent>;
  const { uptimeMs, wallMs } = clock.now();
  const ageMs =
    event.bootid === clock.bootId && event.uptimems !== undefined
      ? uptimeMs - event.uptimems
      : wallMs - Date.parse(event.time ?? '');
  return Number.isFinite(ageMs) ? Math.max(0, ageMs / 1_000) : 0;
}
