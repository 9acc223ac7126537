// What the store says about itself on a new connection: its ends, without reading the events.
import { type EventId, parseEventId, START } from '../contracts/event.ts';
import { isBufferError } from './buffer-error.ts';
import { EVENTS, STATE } from './keys.ts';
import type { RedisLink } from './redis-link.ts';

export interface StoreTail {
  /** Last id ever stored, also when it is trimmed away; START for an empty store. */
  readonly last: EventId;
  /** Right before the oldest entry that is still there. */
  readonly floor: EventId;
  /** Last stored number of each generation that still has entries, and of the last one. */
  readonly ends: ReadonlyMap<number, number>;
  readonly state: Readonly<Record<string, string>>;
}

export async function readStoreTail(link: RedisLink): Promise<StoreTail> {
  const state = await link.exchange('read the state', (redis) => redis.hgetall(STATE));
  let info: unknown;
  try {
    info = await link.exchange('look at the stream', (redis) => redis.xinfo('STREAM', EVENTS));
  } catch (thrown) {
    const isMissing =
      isBufferError(thrown, 'buffer.redis-refused') && String(thrown.cause).includes('no such key');
    if (!isMissing) throw thrown;
    return { last: START, floor: START, ends: new Map(), state };
  }
  const facts = toRecord(info);
  const last = toId(facts['last-generated-id']);
  const first = Array.isArray(facts['first-entry']) ? toId(facts['first-entry'][0]) : null;
  const floor = first === null ? last : { ...first, number: first.number - 1 };
  return { last, floor, ends: await readEnds(link, last), state };
}

/** Steps back over the generations with one entry each; there are as many as the store was lost while it held unsent events. */
async function readEnds(link: RedisLink, last: EventId): Promise<Map<number, number>> {
  const ends = new Map([[last.generation, last.number]]);
  for (let { generation } = last; generation > 0; ) {
    const before = `${generation}-0`;
    const [entry] = await link.exchange('look at the generation before', (redis) =>
      redis.xrevrange(EVENTS, before, '-', 'COUNT', 1),
    );
    if (entry === undefined) break;
    const id = toId(entry[0]);
    ends.set(id.generation, id.number);
    generation = id.generation;
  }
  return ends;
}

function toRecord(flat: unknown): Readonly<Record<string, unknown>> {
  const record: Record<string, unknown> = {};
  if (Array.isArray(flat))
    for (let index = 0; index + 1 < flat.length; index += 2) record[String(flat[index])] = flat[index + 1];
  return record;
}

function toId(text: unknown): EventId {
  const id = typeof text === 'string' ? parseEventId(text) : null;
  if (id === null) throw new TypeError(`Redis gave an entry id that is none: ${String(text)}`);
  return id;
}
