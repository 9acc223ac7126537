// Keeps one usable connection to Redis for as long as the buffer lives: connect, fence, prepare, use, and again.
import type { Redis } from 'ioredis';
import type { BufferConfig } from '../contracts/config/buffer-config.ts';
import type { BufferMetrics } from '../contracts/metrics.ts';
import { type BufferError, isBufferError, stoppedError } from './buffer-error.ts';
import type { BufferHealth } from './buffer-health.ts';
import { pause } from './pause.ts';
import { type LinkIdentity, openRedisLink, type RedisLink } from './redis-link.ts';
import { toTrouble } from './redis-trouble.ts';
import { settleLog } from './settle-log.ts';

const BACKOFF_MIN_MS = 50;
const BACKOFF_MAX_MS = 500;
/** A connection that lived shorter than this was no success. */
const STEADY_MS = 2_000;

export interface RedisKeeperOptions {
  readonly config: BufferConfig;
  readonly metrics: BufferMetrics;
  readonly health: BufferHealth;
  readonly signal: AbortSignal;
  /** Runs on every new connection before anybody may use it. */
  readonly prepare: (link: RedisLink) => Promise<void>;
}

/**
 * INVARIANTS
 * - Nobody gets a connection before the one before it is dead on Redis's side too. A command that Redis has received but not
 *   run yet (it hung) would otherwise run after the writer asked what is stored, and put an old state over a newer one.
 * - Nobody gets the first connection to a started Redis before what it has loaded is durable, unless it refuses every write: then it
 *   can be read, and `settle` says when it is.
 */
export class RedisKeeper {
  readonly #options: RedisKeeperOptions;
  #link: RedisLink | undefined;
  #waiting: PromiseWithResolvers<RedisLink> | undefined;
  #before: LinkIdentity | undefined;
  #settledRunId: string | undefined;

  constructor(options: RedisKeeperOptions) {
    this.#options = options;
  }

  /** Runs until the signal aborts. */
  async run(): Promise<void> {
    const { health, metrics, signal } = this.#options;
    for (let failures = 0; !signal.aborted; failures += 1) {
      try {
        const link = await this.#connect();
        const since = performance.now();
        const lost = Promise.withResolvers<unknown>();
        link.onLost(lost.resolve);
        this.#publish(link);
        metrics.redisConnected.set(1);
        const why = await lost.promise;
        this.#link = undefined;
        if (performance.now() - since > STEADY_MS) failures = 0;
        throw why;
      } catch (thrown) {
        metrics.redisConnected.set(0);
        if (signal.aborted) break;
        const { state, why } = toTrouble(thrown);
        health.say('redis', state, why);
      }
      await pause(Math.min(BACKOFF_MAX_MS, BACKOFF_MIN_MS * 2 ** failures), signal);
    }
    metrics.redisConnected.set(0);
    this.#waiting?.reject(stoppedError());
  }

  /** The connection, once there is one. Rejects with `buffer.stopped` only. */
  async link(): Promise<RedisLink> {
    if (this.#options.signal.aborted) throw stoppedError();
    if (this.#link?.isOpen) return this.#link;
    this.#waiting ??= Promise.withResolvers();
    return this.#waiting.promise;
  }

  /** The connection if there is one now. */
  get current(): RedisLink | undefined {
    return this.#link?.isOpen ? this.#link : undefined;
  }

  /** Null: what this Redis loaded is durable. Otherwise why it refused every write. Throws BufferError. */
  async settle(link: RedisLink): Promise<BufferError | null> {
    const { runId } = link.identity;
    if (this.#settledRunId === runId) return null;
    const refusal = await settleLog(link);
    if (refusal === null) this.#settledRunId = runId;
    return refusal;
  }

  /** One exchange, repeated until Redis answers it: for what may run twice. Rejects with `buffer.stopped` only. */
  async repeat<T>(what: string, send: (redis: Redis) => Promise<T>): Promise<T> {
    const { health, signal } = this.#options;
    for (let refused = false; ; ) {
      const link = await this.link();
      try {
        const answer = await link.exchange(what, send);
        if (refused) health.say('reading', 'ok', 'Redis answers what it refused before');
        return answer;
      } catch (thrown) {
        if (isBufferError(thrown, 'buffer.redis-refused')) {
          refused = true;
          const { state, why } = toTrouble(thrown);
          health.say('reading', state, why);
          await pause(BACKOFF_MAX_MS, signal);
        }
      }
    }
  }

  async #connect(): Promise<RedisLink> {
    const link = await openRedisLink(this.#options.config, this.#options.signal);
    try {
      const before = this.#before;
      if (before !== undefined && before.runId === link.identity.runId)
        await link.exchange('fence', (redis) => redis.client('KILL', 'ID', before.clientId));
      this.#before = link.identity;
      await this.settle(link);
      await this.#options.prepare(link);
    } catch (thrown) {
      link.close(stoppedError());
      throw thrown;
    }
    return link;
  }

  #publish(link: RedisLink): void {
    if (!link.isOpen) return;
    this.#link = link;
    this.#waiting?.resolve(link);
    this.#waiting = undefined;
  }
}
