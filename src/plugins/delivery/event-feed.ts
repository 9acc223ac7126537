// Stored events -> one plugin, by its own durable cursor: at least once, in order, at most a window of them unacknowledged.
// After a crash it goes on one by one, so that the event that ends the process can be told from its neighbours.
import type { Cursor, ReadEvents } from '../../contracts/buffer.ts';
import type { Clock } from '../../contracts/clock.ts';
import {
  compareEventIds,
  type EventId,
  formatEventId,
  START,
  type StoredEvent,
} from '../../contracts/event.ts';

const WINDOW = 64;
const PAGE = 200;
/** Places not yet passed by the cursor, those of events that the plugin did not subscribe to included. */
const LINE_MAX = 4_096;
/** Reads of one plugin are so far apart; what was appended meanwhile comes with the next. */
const READ_SPACING_MS = 20;
const STUCK_MS = 60_000;

export interface Parked {
  readonly event: StoredEvent;
  readonly tries: number;
  readonly why: string;
}

export interface EventFeedOptions {
  readonly cursor: Cursor;
  readonly read: ReadEvents;
  readonly onAppended: (listener: (lastId: EventId) => void) => () => void;
  readonly wants: (event: StoredEvent) => boolean;
  readonly send: (n: number, event: StoredEvent) => void;
  readonly clock: Pick<Clock, 'uptimeMs'>;
  /** Resolves when what the plugin has emitted so far is on disk: only then an acknowledgement may count. */
  readonly emitted: () => Promise<unknown> | null;
  readonly onParked: (parked: Parked) => void;
  readonly onDelivered: () => void;
  /** It has not acknowledged an event for a minute. */
  readonly onStuck: (why: string) => void;
  /** The acknowledged number was never sent, or twice acknowledged. */
  readonly onForged: (detail: string) => void;
  readonly memory: FeedMemory;
  /** Crashes that one event may cost before it is put aside. */
  readonly tries: number;
}

/** What is known of a plugin's events over several of its processes. */
export interface FeedMemory {
  /** Crashes while this event was the only one on its way, by id. */
  readonly crashes: Map<string, number>;
  /** Up to here one event at a time. */
  carefulUpTo: EventId;
}

export function newFeedMemory(): FeedMemory {
  return { crashes: new Map(), carefulUpTo: START };
}

interface Place {
  readonly event: StoredEvent | null;
  readonly id: EventId;
  readonly sentMs: number;
  isAcked: boolean;
  isDone: boolean;
}

/**
 * INVARIANTS
 * - The cursor moves over an event only when it and everything before it is done: acknowledged, not wanted, or parked.
 * - One read at a time; none while the line or the window is full.
 */
export class EventFeed {
  readonly #options: EventFeedOptions;
  readonly #line = new Map<number, Place>();
  readonly #stopListening: () => void;
  readonly #timer: NodeJS.Timeout;
  #page: StoredEvent[] = [];
  #position: EventId;
  #last = 0;
  #inFlight = 0;
  #reading = false;
  #readAgain = true;
  #lastReadMs = -READ_SPACING_MS;
  #spacing: NodeJS.Timeout | undefined;
  #over = false;

  constructor(options: EventFeedOptions) {
    this.#options = options;
    this.#position = options.cursor.position;
    this.#stopListening = options.onAppended(() => {
      this.#readAgain = true;
      this.#pump();
    });
    this.#timer = setInterval(() => this.#watch(), STUCK_MS / 4);
    this.#pump();
  }

  acknowledge(n: number): void {
    const place = this.#line.get(n);
    if (place?.event == null || place.isAcked) {
      this.#options.onForged(`acknowledges event number ${n}, which it was not given`);
      return;
    }
    place.isAcked = true;
    // It has its place in the window until what it caused is on disk: a store that is slow slows the plugin down.
    const settle = () => {
      this.#inFlight -= 1;
      this.#options.onDelivered();
      this.#options.memory.crashes.delete(formatEventId(place.id));
      this.#done(place);
      this.#pump();
    };
    const emitted = this.#options.emitted();
    // Rejections are the emitter's; the order of storing is what counts here.
    if (emitted === null) settle();
    else emitted.then(settle, settle);
  }

  /** The plugin gave it back after so many tries. */
  refuse(n: number, tries: number, why: string): void {
    const place = this.#line.get(n);
    if (place?.event == null || place.isAcked) {
      this.#options.onForged(`refuses event number ${n}, which it was not given`);
      return;
    }
    place.isAcked = true;
    this.#inFlight -= 1;
    this.#options.onParked({ event: place.event, tries, why });
    this.#done(place);
    this.#pump();
  }

  /** Nothing more is sent; acknowledgements still count until `crashed` or the end of the process. */
  pause(): void {
    this.#over = true;
    this.#stopListening();
    clearInterval(this.#timer);
    clearTimeout(this.#spacing);
  }

  /**
   * The process ended without being asked. `isBlamed`: by what it did, so that an event may be the cause; else somebody killed it.
   * Returns whether an event was put aside.
   */
  crashed(why: string, isBlamed: boolean): boolean {
    this.pause();
    const { crashes, ...memory } = this.#options.memory;
    const open = [...this.#line.values()].filter(({ event, isAcked }) => event !== null && !isAcked);
    const [only] = open;
    const newest = open.at(-1);
    if (newest === undefined || only?.event == null) return false;
    if (compareEventIds(newest.id, memory.carefulUpTo) > 0) this.#options.memory.carefulUpTo = newest.id;
    if (open.length > 1 || !isBlamed) return false;
    const key = formatEventId(only.id);
    const count = (crashes.get(key) ?? 0) + 1;
    crashes.set(key, count);
    if (count < this.#options.tries) return false;
    crashes.delete(key);
    only.isAcked = true;
    this.#options.onParked({ event: only.event, tries: count, why });
    this.#done(only);
    return true;
  }

  get position(): EventId {
    return this.#options.cursor.position;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  #pump(): void {
    while (!this.#over) {
      const event = this.#page[0];
      if (event === undefined) {
        this.#fetch();
        return;
      }
      const isWanted = this.#options.wants(event);
      const isCareful = compareEventIds(event.id, this.#options.memory.carefulUpTo) <= 0;
      if (this.#line.size >= LINE_MAX || (isWanted && this.#inFlight >= (isCareful ? 1 : WINDOW))) return;
      this.#page.shift();
      this.#append(event, isWanted);
    }
  }

  #append(event: StoredEvent, isWanted: boolean): void {
    const n = ++this.#last;
    const sentMs = this.#options.clock.uptimeMs();
    const place: Place = {
      id: event.id,
      event: isWanted ? event : null,
      sentMs,
      isAcked: !isWanted,
      isDone: !isWanted,
    };
    this.#line.set(n, place);
    if (isWanted) {
      this.#inFlight += 1;
      this.#options.send(n, event);
    } else this.#advance();
  }

  #done(place: Place): void {
    place.isDone = true;
    this.#advance();
  }

  #advance(): void {
    let upTo: EventId | null = null;
    for (const [n, place] of this.#line) {
      if (!place.isDone) break;
      upTo = place.id;
      this.#line.delete(n);
    }
    if (upTo !== null) this.#options.cursor.acknowledge(upTo);
  }

  #fetch(): void {
    if (this.#reading || !this.#readAgain || this.#spacing !== undefined) return;
    const waitMs = this.#lastReadMs + READ_SPACING_MS - this.#options.clock.uptimeMs();
    if (waitMs > 0) {
      this.#spacing = setTimeout(() => {
        this.#spacing = undefined;
        this.#pump();
      }, waitMs);
      return;
    }
    this.#reading = true;
    this.#readAgain = false;
    this.#lastReadMs = this.#options.clock.uptimeMs();
    this.#options.read(this.#position, PAGE).then(
      ({ events, position }) => {
        this.#reading = false;
        if (compareEventIds(position, this.#position) !== 0) this.#readAgain = true;
        if (events.length === 0 && this.#line.size === 0) this.#options.cursor.acknowledge(position);
        this.#position = position;
        this.#page = [...events];
        this.#pump();
      },
      // The buffer was stopped: so is everything else.
      () => this.pause(),
    );
  }

  #watch(): void {
    const nowMs = this.#options.clock.uptimeMs();
    for (const place of this.#line.values()) {
      if (place.isAcked) continue;
      if (nowMs - place.sentMs > STUCK_MS)
        this.#options.onStuck(
          `it has not finished event ${formatEventId(place.id)} for ${Math.round((nowMs - place.sentMs) / 1_000)} s`,
        );
      return;
    }
  }
}
