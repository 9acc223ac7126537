// The consumers' durable places: moved in memory, written to Redis in batches. Being a batch behind after a crash is
// harmless, because events that are read again have the same ids.
import type { Cursor } from '../contracts/buffer.ts';
import { compareEventIds, type EventId, formatEventId, parseEventId, START } from '../contracts/event.ts';
import type { Log } from '../contracts/log.ts';
import { CURSORS } from './keys.ts';
import type { RedisLink } from './redis-link.ts';

const ACKS_PER_WRITE = 1_000;

export interface CursorsOptions {
  readonly log: Log;
  /** Something waits to be written; `many`: ACKS_PER_WRITE acknowledgements by now. */
  readonly onMoved: (many: boolean) => void;
}

export class Cursors {
  readonly #options: CursorsOptions;
  readonly #positions = new Map<string, EventId>();
  #unwritten = new Set<string>();
  #acks = 0;
  #loaded = false;

  constructor(options: CursorsOptions) {
    this.#options = options;
  }

  /** On every new connection: the first brings what is stored; later ones get everything again, they may have lost it. */
  async prepare(link: RedisLink): Promise<void> {
    const stored = await link.exchange('read the cursors', (redis) => redis.hgetall(CURSORS));
    if (!this.#loaded) {
      for (const [name, text] of Object.entries(stored)) {
        const id = parseEventId(text);
        if (id === null)
          this.#options.log.warn(
            { name, text },
            'a cursor is damaged: its consumer reads from the start again',
          );
        this.#positions.set(name, id ?? START);
      }
      this.#loaded = true;
    }
    for (const [name, id] of this.#positions)
      if (stored[name] !== formatEventId(id)) this.#unwritten.add(name);
  }

  /** Only after prepare(). A name that was never seen begins before everything. */
  open(name: string): Cursor {
    const positions = this.#positions;
    if (!positions.has(name)) this.#move(name, START);
    return {
      get position() {
        return positions.get(name) ?? START;
      },
      acknowledge: (id) => {
        if (compareEventIds(id, positions.get(name) ?? START) > 0) this.#move(name, id);
      },
    };
  }

  /** Place of the slowest consumer, open or not; null when there is none. */
  get slowest(): EventId | null {
    let slowest: EventId | null = null;
    for (const id of this.#positions.values())
      if (slowest === null || compareEventIds(id, slowest) < 0) slowest = id;
    return slowest;
  }

  get isWritten(): boolean {
    return this.#unwritten.size === 0;
  }

  /** Throws BufferError; what was not written is tried again with the next call. */
  async write(link: RedisLink): Promise<void> {
    if (this.isWritten) return;
    const names = this.#unwritten;
    this.#unwritten = new Set();
    this.#acks = 0;
    const fields = [...names].flatMap((name) => [name, formatEventId(this.#positions.get(name) ?? START)]);
    try {
      await link.exchange('write the cursors', (redis) => redis.hset(CURSORS, ...fields));
    } catch (thrown) {
      for (const name of names) this.#unwritten.add(name);
      throw thrown;
    }
  }

  #move(name: string, id: EventId): void {
    this.#positions.set(name, id);
    this.#unwritten.add(name);
    this.#acks += 1;
    this.#options.onMoved(this.#acks === ACKS_PER_WRITE);
  }
}
