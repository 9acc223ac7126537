// Every few seconds: what the store takes and how old it is, for metrics and health; consumers that do not read on; bounds.
import type { Clock } from '../contracts/clock.ts';
import type { StoredEvent } from '../contracts/event.ts';
import type { Log } from '../contracts/log.ts';
import type { BufferMetrics } from '../contracts/metrics.ts';
import type { BufferHealth } from './buffer-health.ts';
import type { Consumers } from './consumers.ts';
import { ageSecondsOf } from './event-age.ts';
import { IDLE } from './keys.ts';
import { pause } from './pause.ts';
import type { RedisKeeper } from './redis-keeper.ts';

/** Idle times are written so rarely because nothing depends on minutes. */
const IDLE_WRITE_MS = 600_000;

export interface PeriodicCheckOptions {
  readonly everyMs: number;
  readonly keeper: RedisKeeper;
  readonly consumers: Consumers;
  readonly clock: Clock;
  readonly metrics: BufferMetrics;
  readonly health: BufferHealth;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly queued: () => number;
  readonly depth: () => number;
  /** Keeps the bounds; never rejects. */
  readonly checkBounds: () => Promise<void>;
  /** The oldest event that a consumer waits for. */
  readonly readOldest: () => Promise<StoredEvent | undefined>;
}

export class PeriodicCheck {
  readonly #options: PeriodicCheckOptions;
  #oldestAgeSeconds = 0;
  #checkedMs: number;
  #idleWrittenMs: number;

  constructor(options: PeriodicCheckOptions) {
    this.#options = options;
    this.#checkedMs = options.clock.uptimeMs();
    this.#idleWrittenMs = this.#checkedMs;
  }

  get oldestAgeSeconds(): number {
    return this.#oldestAgeSeconds;
  }

  /** Until the signal aborts. */
  async run(): Promise<void> {
    const { everyMs, log, signal } = this.#options;
    while (!signal.aborted) {
      await pause(everyMs, signal);
      // A Redis that does not answer has been reported by the connection.
      await this.check().catch((thrown: unknown) =>
        log.debug({ err: thrown }, 'the store could not be sampled'),
      );
    }
  }

  /** Throws BufferError. */
  async check(): Promise<void> {
    const { checkBounds, clock, consumers, depth, health, keeper, metrics, queued } = this.#options;
    metrics.queued.set(queued());
    metrics.depth.set(depth());
    const elapsedMs = clock.uptimeMs() - this.#checkedMs;
    this.#checkedMs += elapsedMs;
    if (keeper.current === undefined) return;
    await checkBounds();
    await this.#sampleAge();
    await consumers.tick(elapsedMs);
    if (clock.uptimeMs() - this.#idleWrittenMs >= IDLE_WRITE_MS) await this.writeIdle();
    health.confirm();
  }

  /** Throws BufferError. */
  async writeIdle(): Promise<void> {
    const { clock, consumers, keeper } = this.#options;
    const fields = Object.entries(consumers.idleMs).filter(([, ms]) => ms > 0);
    await keeper.current?.exchange('write the idle times', (redis) => {
      const transaction = redis.multi().del(IDLE);
      if (fields.length > 0) transaction.hset(IDLE, ...fields.flat());
      return transaction.exec();
    });
    this.#idleWrittenMs = clock.uptimeMs();
  }

  async #sampleAge(): Promise<void> {
    const { clock, metrics, readOldest } = this.#options;
    const oldest = await readOldest();
    this.#oldestAgeSeconds = oldest === undefined ? 0 : ageSecondsOf(oldest.json, clock);
    metrics.oldestAge.set(this.#oldestAgeSeconds);
  }
}
