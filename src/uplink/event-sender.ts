// Events of the buffer, from the cursor on -> published in order over one connection; the cursor follows the PUBACKs.
// One sender lives as long as one connection, or until the broker refuses an event. Runs on the daemon's thread.
import type { Cursor, ReadEvents } from '../contracts/buffer.ts';
import type { Clock } from '../contracts/clock.ts';
import { compareEventIds, type EventId, START, type StoredEvent } from '../contracts/event.ts';
import type { UplinkMetrics } from '../contracts/metrics.ts';
import { errorText } from '../lib/error-text.ts';
import type { RateLimit } from '../lib/rate-limit.ts';
import type { PublishOutcome } from '../mqtt/mqtt-message.ts';
import type { MqttSession } from '../mqtt/start-mqtt-session.ts';
import { AckLine, type AckPlace } from './ack-line.ts';
import { isTooLarge } from './packet-size.ts';

const PAGE_EVENTS = 256;
/** Places in the line, acknowledged ones behind a gap included; below the 65,535 packet ids, which must not come round. */
const LINE_MAX = 60_000;
const MESSAGE_TOO_LARGE = 149;
const CONTENT_TYPE = 'application/cloudevents+json';

export interface EventSenderOptions {
  readonly session: Pick<MqttSession, 'room' | 'publish' | 'drop'>;
  readonly read: ReadEvents;
  readonly cursor: Cursor;
  readonly mayPublish: (id: EventId) => Promise<void>;
  readonly topicOf: (type: string) => string;
  /** Of a whole packet, as the broker said; null: no limit. */
  readonly maximumPacketSize: number | null;
  /** An event without PUBACK for so long ends the connection. */
  readonly ackTimeoutMs: number;
  readonly limit: RateLimit;
  readonly clock: Pick<Clock, 'uptimeMs'>;
  readonly metrics: UplinkMetrics;
  /** Highest id sent so far, over all connections; the sender moves it. */
  readonly progress: { highest: EventId };
  /** Called before events take the free places of the window. */
  readonly beforeEvents: () => void;
  /** The cursor has moved, and events still flow: not for those that were accepted behind a refused one. */
  readonly onAccepted: () => void;
  /** The limit holds events back, or all of them have got through again. */
  readonly onHeldBack: (heldBack: boolean) => void;
  /** No event can get through now: the sender has ended; a new one may be started later. */
  readonly onStuck: (why: string) => void;
  readonly onTooLarge: (event: StoredEvent) => void;
}

/**
 * INVARIANTS
 * - Events leave in the order of their ids, each no earlier than `mayPublish` has resolved for it.
 * - The cursor passes an event only after its PUBACK and those of all before it; what was skipped as too large is reported first.
 * - A new sender starts at the cursor: whatever had no PUBACK is sent again, in order.
 */
export class EventSender {
  readonly #options: EventSenderOptions;
  readonly #line = new AckLine();
  #page: readonly StoredEvent[] = [];
  #pageEnd: EventId;
  #at = 0;
  /** Last id that has a place in the line. */
  #lined: EventId;
  #nextPage: Awaited<ReturnType<ReadEvents>> | null = null;
  #readPosition: EventId;
  #reading = false;
  /** A read found nothing more; from then on `#lastAppended` says whether there is. */
  #reachedEnd = false;
  #lastAppended: EventId = START;
  #over = false;
  #heldBack = false;
  #limitTimer: NodeJS.Timeout | undefined;
  #ackTimer: NodeJS.Timeout | undefined;
  #headAtLastCheck: AckPlace | null = null;
  /** One event at a time is timed: one sample a round trip. */
  #timed: { readonly place: AckPlace; readonly sentMs: number } | null = null;
  #accepted = 0;
  #counting = false;
  /** The cursor has moved since `onAccepted` was called. */
  #moved = false;

  constructor(options: EventSenderOptions) {
    this.#options = options;
    this.#pageEnd = options.cursor.position;
    this.#lined = options.cursor.position;
    this.#readPosition = options.cursor.position;
  }

  start(): void {
    this.#ackTimer = setInterval(() => this.#checkProgress(), this.#options.ackTimeoutMs / 2);
    this.#ackTimer.unref();
    this.pump();
  }

  /** New events are in the buffer. */
  wake(lastId: EventId): void {
    this.#lastAppended = lastId;
    this.#readAhead();
  }

  /** Sends nothing more; PUBACKs still on their way move the cursor. */
  end(): void {
    this.#over = true;
    clearTimeout(this.#limitTimer);
    clearInterval(this.#ackTimer);
  }

  /** Fills the free places of the window. */
  pump(): void {
    const { beforeEvents, limit, session } = this.#options;
    beforeEvents();
    while (!this.#over && session.room > 0 && this.#line.length < LINE_MAX) {
      const event = this.#page[this.#at];
      if (event === undefined) {
        if (!this.#turnPage()) break;
      } else if (limit.take()) {
        this.#at += 1;
        this.#send(event);
      } else {
        this.#holdBack(limit.waitMs());
        break;
      }
    }
    this.#readAhead();
  }

  #holdBack(waitMs: number): void {
    clearTimeout(this.#limitTimer);
    this.#limitTimer = setTimeout(() => this.pump(), Math.max(1, waitMs));
    if (this.#heldBack) return;
    this.#heldBack = true;
    this.#options.onHeldBack(true);
  }

  #turnPage(): boolean {
    // Entries at the end of the page may have been damaged: nothing to send, but the cursor must pass them.
    if (compareEventIds(this.#pageEnd, this.#lined) > 0) this.#pass(this.#enter(this.#pageEnd));
    if (this.#nextPage === null) return false;
    this.#page = this.#nextPage.events;
    this.#pageEnd = this.#nextPage.position;
    this.#nextPage = null;
    this.#at = 0;
    return true;
  }

  #enter(id: EventId): AckPlace {
    this.#lined = id;
    return this.#line.append(id);
  }

  #send(event: StoredEvent): void {
    const { clock, maximumPacketSize, metrics, progress, session, topicOf } = this.#options;
    const topic = topicOf(event.type);
    const place = this.#enter(event.id);
    const message = { topic, payload: event.json, contentType: CONTENT_TYPE };
    if (isTooLarge(message, maximumPacketSize)) {
      this.#skip(event, place);
      return;
    }
    if (compareEventIds(event.id, progress.highest) <= 0) metrics.resent.add(1);
    else progress.highest = event.id;
    this.#timed ??= { place, sentMs: clock.uptimeMs() };
    session.publish({ ...message, qos: 1, retain: false }, (outcome) => this.#settle(event, place, outcome));
  }

  #settle(event: StoredEvent, place: AckPlace, outcome: PublishOutcome): void {
    switch (outcome.kind) {
      case 'accepted':
        this.#count(place);
        this.#pass(place);
        if (!this.#over) this.pump();
        return;
      case 'refused':
        this.#options.metrics.refused.add(1, { reason: `0x${outcome.code.toString(16)}` });
        if (outcome.code === MESSAGE_TOO_LARGE) {
          this.#skip(event, place);
          this.pump();
        } else {
          this.#giveUp(`the broker does not take events: ${outcome.why}`);
        }
        return;
      case 'lost':
        this.end();
    }
  }

  #pass(place: AckPlace): void {
    const upTo = this.#line.accept(place);
    if (upTo === null) return;
    this.#moved = true;
    this.#options.cursor.acknowledge(upTo);
  }

  #skip(event: StoredEvent, place: AckPlace): void {
    this.#options.onTooLarge(event);
    if (this.#timed?.place === place) this.#timed = null;
    this.#pass(place);
  }

  /** Metrics once a turn of the event loop, not once an event. */
  #count(place: AckPlace): void {
    this.#accepted += 1;
    if (this.#timed?.place === place) {
      this.#options.metrics.ackDuration.observe(
        (this.#options.clock.uptimeMs() - this.#timed.sentMs) / 1_000,
      );
      this.#timed = null;
    }
    if (this.#counting) return;
    this.#counting = true;
    setImmediate(() => {
      this.#counting = false;
      this.#options.metrics.published.add(this.#accepted);
      this.#options.metrics.inFlight.set(this.#line.length);
      this.#accepted = 0;
      if (this.#moved && !this.#over) {
        this.#moved = false;
        this.#options.onAccepted();
      }
      this.#tellCaughtUp();
    });
  }

  #tellCaughtUp(): void {
    if (!this.#heldBack || this.#over || this.#line.length > 0 || !this.#reachedEnd) return;
    this.#heldBack = false;
    this.#options.onHeldBack(false);
  }

  /** Reads the next page while this one is being sent. */
  #readAhead(): void {
    const isLow = this.#page.length - this.#at <= PAGE_EVENTS / 2;
    const hasMore = !this.#reachedEnd || compareEventIds(this.#lastAppended, this.#readPosition) > 0;
    if (this.#over || this.#reading || this.#nextPage !== null || !isLow || !hasMore) return;
    this.#reading = true;
    void this.#readPage();
  }

  async #readPage(): Promise<void> {
    const { mayPublish, read } = this.#options;
    const from = this.#readPosition;
    try {
      const page = await read(from, PAGE_EVENTS);
      const last = page.events.at(-1);
      if (last !== undefined) await mayPublish(last.id);
      if (this.#over) return;
      this.#readPosition = page.position;
      this.#reachedEnd = compareEventIds(page.position, from) === 0;
      if (!this.#reachedEnd) this.#nextPage = page;
    } catch (error) {
      this.#giveUp(`cannot read the buffer: ${errorText(error)}`);
      return;
    } finally {
      this.#reading = false;
    }
    this.pump();
    this.#tellCaughtUp();
  }

  #giveUp(why: string): void {
    if (this.#over) return;
    this.end();
    this.#options.onStuck(why);
  }

  #checkProgress(): void {
    const { head } = this.#line;
    if (head !== null && head === this.#headAtLastCheck)
      this.#options.session.drop(
        `the broker did not acknowledge an event within ${this.#options.ackTimeoutMs} ms`,
      );
    this.#headAtLastCheck = head;
  }
}
