// The consumers' durable places: moved in memory, written to Redis in batches. Being a batch behind after a crash is
// harmless, because events that are read again have the same ids.
import type { ConsumerName, ConsumerOptions, Cursor } from '../contracts/buffer.ts';
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

/** `mayExpire` null: this run has not opened it. */
export interface Place {
  readonly name: ConsumerName;
  readonly position: EventId;
  readonly mayExpire: boolean | null;
}

export class Cursors {
  readonly #options: CursorsOptions;
  readonly #positions = new Map<ConsumerName, EventId>();
  readonly #opened = new Map<ConsumerName, boolean>();
  /** Names whose position, or whose removal, Redis does not have yet. */
  #unwritten = new Set<ConsumerName>();
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
    for (const name of Object.keys(stored)) if (!this.#positions.has(name)) this.#unwritten.add(name);
  }

  /** Only after prepare(). A name without a place gets one: before everything, or after `last`. */
  open(name: ConsumerName, { from, mayExpire }: ConsumerOptions, last: EventId): Cursor {
    if (!this.#positions.has(name)) this.#move(name, from === 'start' ? START : last);
    this.#opened.set(name, mayExpire);
    const positionOf = () => this.#positions.get(name);
    let lastKnown = START;
    return {
      get position() {
        lastKnown = positionOf() ?? lastKnown;
        return lastKnown;
      },
      acknowledge: (id) => this.advance(name, id),
    };
  }

  /** Forward only; nothing for a name without a place. */
  advance(name: ConsumerName, id: EventId): void {
    const position = this.#positions.get(name);
    if (position !== undefined && compareEventIds(id, position) > 0) this.#move(name, id);
  }

  remove(name: ConsumerName): void {
    this.#opened.delete(name);
    if (!this.#positions.delete(name)) return;
    this.#unwritten.add(name);
    this.#options.onMoved(false);
  }

  get(name: ConsumerName): EventId | undefined {
    return this.#positions.get(name);
  }

  get all(): readonly Place[] {
    return [...this.#positions].map(([name, position]) => ({
      ...{ name, position },
      mayExpire: this.#opened.get(name) ?? null,
    }));
  }

  /** Place of the slowest consumer, open or not; null when there is none. */
  get slowest(): EventId | null {
    let slowest: EventId | null = null;
    for (const id of this.#positions.values())
      if (slowest === null || compareEventIds(id, slowest) < 0) slowest = id;
    return slowest;
  }

  /** The furthest place of all; START when there is none. */
  get furthest(): EventId {
    let furthest = START;
    for (const id of this.#positions.values()) if (compareEventIds(id, furthest) > 0) furthest = id;
    return furthest;
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
    const fields: string[] = [];
    const removed: string[] = [];
    for (const name of names) {
      const position = this.#positions.get(name);
      if (position === undefined) removed.push(name);
      else fields.push(name, formatEventId(position));
    }
    try {
      if (removed.length > 0)
        await link.exchange('remove cursors', (redis) => redis.hdel(CURSORS, ...removed));
      if (fields.length > 0)
        await link.exchange('write the cursors', (redis) => redis.hset(CURSORS, ...fields));
    } catch (thrown) {
      for (const name of names) this.#unwritten.add(name);
      throw thrown;
    }
  }

  #move(name: ConsumerName, id: EventId): void {
    this.#positions.set(name, id);
    this.#unwritten.add(name);
    this.#acks += 1;
    this.#options.onMoved(this.#acks === ACKS_PER_WRITE);
  }
}
