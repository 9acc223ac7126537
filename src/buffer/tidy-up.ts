// Writes moved cursors and trims behind them: a quarter of a second after the first move, so that a burst costs one write.
import { errorText } from '../lib/error-text.ts';
import type { Archive } from './archive/archive.ts';
import type { BufferHealth } from './buffer-health.ts';
import type { Cursors } from './cursors.ts';
import type { RedisKeeper } from './redis-keeper.ts';
import type { RedisLink } from './redis-link.ts';
import type { StoreView } from './store-view.ts';
import { isToTrim, oldestKept, trimEvents } from './trim-events.ts';

const DELAY_MS = 250;

export interface TidyUpOptions {
  readonly archive: Archive;
  readonly keeper: RedisKeeper;
  readonly cursors: Cursors;
  readonly view: StoreView;
  readonly keepEvents: number;
  readonly health: BufferHealth;
  readonly signal: AbortSignal;
}

export class TidyUp {
  readonly #options: TidyUpOptions;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;

  constructor(options: TidyUpOptions) {
    this.#options = options;
    options.signal.addEventListener('abort', () => clearTimeout(this.#timer));
  }

  soon(): void {
    if (this.#options.signal.aborted) return;
    this.#timer ??= setTimeout(() => void this.now(), DELAY_MS);
  }

  /** Never rejects: what could not be done is tried again with the next call or on the next connection. */
  async now(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#running !== undefined) {
      await this.#running;
      if (!this.#options.cursors.isWritten) this.soon();
      return;
    }
    const link = this.#options.keeper.current;
    if (link === undefined) return;
    this.#running = this.#run(link).finally(() => {
      this.#running = undefined;
    });
    await this.#running;
  }

  async #run(link: RedisLink): Promise<void> {
    const { archive, cursors, health, keepEvents, signal, view } = this.#options;
    try {
      await cursors.write(link);
      health.say('cursors', 'ok', 'the consumers’ places are written');
    } catch (thrown) {
      const why = `the consumers' places cannot be written, after a restart events are sent again: ${errorText(thrown)}`;
      if (link.isOpen) health.say('cursors', 'degraded', why);
    }
    try {
      // Also when Redis has no memory for the cursors: trimming is what makes room.
      for (let more = true; more && link.isOpen && !signal.aborted; ) {
        const { slowest } = cursors;
        if (slowest === null) break;
        const kept = oldestKept(slowest, keepEvents, new Map([...archive.index.ends, ...view.ends]));
        await archive.forget(kept);
        more = isToTrim(kept, view) && (await trimEvents(link, kept, view));
      }
    } catch (thrown) {
      if (link.isOpen)
        health.say('cursors', 'degraded', `old events cannot be trimmed: ${errorText(thrown)}`);
    }
    if (!cursors.isWritten) this.soon();
  }
}
