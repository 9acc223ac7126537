// Consumers come, go, and lose their place when nothing reads on for them: cursors together with the events that say so.
import type { ConsumerName, KeepConsumers, OpenConsumer, RemoveConsumer } from '../contracts/buffer.ts';
import { compareEventIds, type EventId, formatEventId, START } from '../contracts/event.ts';
import type { EventData } from '../contracts/event-types.ts';
import { stoppedError } from './buffer-error.ts';
import type { Cursors, Place } from './cursors.ts';
import { CURSORS, IDLE } from './keys.ts';
import type { RedisKeeper } from './redis-keeper.ts';
import type { RedisLink } from './redis-link.ts';

type Expired = EventData<'buffer.cursor-expired'>;

export interface ConsumersOptions {
  readonly cursors: Cursors;
  readonly keeper: RedisKeeper;
  /** Resolves once `last` is known. */
  readonly planned: () => Promise<void>;
  /** Last id that is stored. */
  readonly last: () => EventId;
  /** How many events lie after that id. */
  readonly countAfter: (id: EventId) => number;
  /** Resolves with whether it is stored. */
  readonly say: (data: Expired) => Promise<boolean>;
  readonly idleMaxMs: number;
}

/**
 * INVARIANTS
 * - The event that a place was lost is stored before the place is given up: a crash in between can only say it twice.
 */
export class Consumers {
  readonly #options: ConsumersOptions;
  /** Milliseconds for which each has not moved although there was something to read, and where it stood. */
  readonly #idle = new Map<ConsumerName, { position: EventId; ms: number }>();
  readonly #expiring = new Set<ConsumerName>();
  /** New ones that Redis may not have yet. */
  readonly #beingWritten = new Set<ConsumerName>();
  #resumed = false;

  constructor(options: ConsumersOptions) {
    this.#options = options;
  }

  readonly open: OpenConsumer = async (name, options) => {
    const { cursors, keeper, last, planned } = this.#options;
    await keeper.link();
    // Only then it is known what is stored.
    await planned();
    if (options.from === 'now' && (cursors.get(name) === undefined || this.#beingWritten.has(name))) {
      // Its place counts from here on: while it is being written nothing after it may be trimmed.
      const cursor = cursors.open(name, options, last());
      this.#beingWritten.add(name);
      // Before anybody is told that it has a place: a crash must not move it on.
      await keeper.repeat('write a new cursor', (redis) =>
        redis.hset(CURSORS, name, formatEventId(cursor.position)),
      );
      this.#beingWritten.delete(name);
      return cursor;
    }
    return cursors.open(name, options, START);
  };

  readonly remove: RemoveConsumer = async (name) => {
    const { cursors, keeper } = this.#options;
    await keeper.link();
    const position = cursors.get(name);
    if (position !== undefined) await this.#expire({ name, position, mayExpire: null }, 'removed');
  };

  readonly keepOnly: KeepConsumers = async (prefix, names) => {
    const { cursors, keeper, planned } = this.#options;
    await keeper.link();
    // Before that the number of unread events is not known.
    await planned();
    for (const { name } of cursors.all)
      if (name.startsWith(prefix) && !names.includes(name)) await this.remove(name);
  };

  /** The first connection brings the idle times of an earlier run of the daemon; after Cursors.prepare(). */
  async prepare(link: RedisLink): Promise<void> {
    if (this.#resumed) return;
    const stored = await link.exchange('read the idle times', (redis) => redis.hgetall(IDLE));
    for (const { name, position } of this.#options.cursors.all) {
      const ms = Number(stored[name] ?? 0);
      this.#idle.set(name, { position, ms: Number.isSafeInteger(ms) && ms > 0 ? ms : 0 });
    }
    this.#resumed = true;
  }

  /** To be kept over restarts: the daemon may run shorter than the bound each time. */
  get idleMs(): Readonly<Record<ConsumerName, number>> {
    return Object.fromEntries([...this.#idle].map(([name, { ms }]) => [name, Math.round(ms)]));
  }

  /** `elapsedMs` have passed since the last call. */
  async tick(elapsedMs: number): Promise<void> {
    const { cursors, idleMaxMs, last } = this.#options;
    const places = cursors.all;
    for (const name of this.#idle.keys()) if (cursors.get(name) === undefined) this.#idle.delete(name);
    for (const place of places) {
      const before = this.#idle.get(place.name);
      const stands = before !== undefined && compareEventIds(before.position, place.position) === 0;
      const isBehind = compareEventIds(place.position, last()) < 0;
      const ms = stands && isBehind ? before.ms + elapsedMs : 0;
      this.#idle.set(place.name, { position: place.position, ms });
      if (idleMaxMs === 0 || ms < idleMaxMs || place.mayExpire === false) continue;
      await this.#expire(place, place.mayExpire === null ? 'not-opened' : 'blocked');
    }
  }

  async #expire({ name, position }: Place, why: Expired['why']): Promise<void> {
    const { countAfter, cursors, last, say } = this.#options;
    if (this.#expiring.has(name)) return;
    this.#expiring.add(name);
    try {
      const to = last();
      const count = compareEventIds(position, to) < 0 ? countAfter(position) : 0;
      const data = { consumer: name, why, count };
      const ends = { acknowledged: formatEventId(position), to: formatEventId(to) };
      if (count > 0 && !(await say({ ...data, ...ends }))) throw stoppedError();
      if (why === 'blocked') cursors.advance(name, to);
      else cursors.remove(name);
      this.#idle.delete(name);
    } finally {
      this.#expiring.delete(name);
    }
  }
}
