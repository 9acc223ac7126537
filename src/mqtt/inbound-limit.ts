// Messages from the broker -> handled, refused or held up: what a flood costs is bounded, whoever sends it [L5].
import type { Clock } from '../contracts/clock.ts';
import { createRateLimit, type RateLimit } from '../lib/rate-limit.ts';

/** So many times the sustained rate may come at once. */
const BURST = 4;
/** Beyond the limit messages are refused, which is cheap; beyond so many times the limit, or this rate, reading itself slows down. */
const HARD_FACTOR = 10;
const HARD_PER_SECOND = 1_000;
/** A message counts once, and once more for every so many bytes. */
const COUNTED_BYTES = 4_096;
const TELL_EVERY_MS = 1_000;

export interface InboundLimitOptions {
  readonly perSecond: number;
  readonly clock: Pick<Clock, 'uptimeMs'>;
  /** Messages refused since it was called last; at most once a second. */
  readonly onRefused: (count: number) => void;
}

export class InboundLimit {
  readonly #onRefused: (count: number) => void;
  readonly #handled: RateLimit;
  readonly #read: RateLimit;
  #refused = 0;
  /** Runs for a while after each telling. */
  #quiet: NodeJS.Timeout | undefined;

  constructor({ clock, onRefused, perSecond }: InboundLimitOptions) {
    const hard = Math.max(HARD_PER_SECOND, HARD_FACTOR * perSecond);
    this.#onRefused = onRefused;
    this.#handled = createRateLimit({ perSecond, burst: BURST * perSecond, clock });
    this.#read = createRateLimit({ perSecond: hard, clock });
  }

  /** Whether one more message may be handled now. */
  admit(): boolean {
    if (this.#handled.take()) return true;
    this.#refused += 1;
    if (this.#quiet === undefined) this.#tell();
    return false;
  }

  #tell(): void {
    this.#quiet = undefined;
    if (this.#refused === 0) return;
    const refused = this.#refused;
    this.#refused = 0;
    this.#quiet = setTimeout(() => this.#tell(), TELL_EVERY_MS).unref();
    this.#onRefused(refused);
  }

  /** A message of so many bytes was read. */
  charge(bytes: number): void {
    this.#read.take(1 + Math.floor(bytes / COUNTED_BYTES));
  }

  /** For how long nothing more should be read. */
  holdUpMs(): number {
    return this.#read.waitMs();
  }
}
