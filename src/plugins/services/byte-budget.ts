// How much a plugin may write in a time: bytes, where the link counts messages. What is beyond it waits its turn, in order, and what
// would wait too long is not taken. Runs in the daemon, one a plugin and kind of writing.
import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../../contracts/clock.ts';
import { TokenBucket } from '../protocol/token-bucket.ts';

/** Held meanwhile in the daemon's memory: also as much as the session lets wait at once. */
const WAIT_MOST_MS = 10_000;

export interface ByteBudgetOptions {
  readonly perSecond: number;
  readonly burst: number;
  readonly clock: Pick<Clock, 'now'>;
}

export class ByteBudget {
  readonly #bucket: TokenBucket;
  readonly #clock: Pick<Clock, 'now'>;
  #last: Promise<void> = Promise.resolve();

  constructor({ burst, clock, perSecond }: ByteBudgetOptions) {
    this.#clock = clock;
    this.#bucket = new TokenBucket({ perSecond, burst, nowMs: clock.now().uptimeMs });
  }

  /**
   * null: too much waits already, and nothing was taken. Else it resolves when so many bytes may be written, after everything that
   * asked before; 0 bytes only wait for that.
   */
  turn(bytes: number): Promise<void> | null {
    const nowMs = this.#clock.now().uptimeMs;
    const waitMs = this.#bucket.owe(bytes, nowMs);
    if (waitMs > WAIT_MOST_MS && bytes > 0) {
      this.#bucket.owe(-bytes, nowMs);
      return null;
    }
    // Nobody stays alive for what a plugin still wants to say. A late timer is not overtaken: the one before is waited for too.
    const delayed = waitMs === 0 ? null : delay(waitMs, undefined, { ref: false });
    const turn = Promise.all([this.#last, delayed]).then(() => undefined);
    this.#last = turn;
    return turn;
  }
}
