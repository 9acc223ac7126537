// Stored events, page by page -> requests in order, and what of them is accepted -> how far the cursor may go.
import { createHash } from 'node:crypto';
import { type EventId, formatEventId, type StoredEvent } from '../contracts/event.ts';
import type { WebhookRequest } from './webhook-client.ts';

/** A body has at most so many bytes, unless it is one event. */
const BATCH_MAX_BYTES = 262_144;

/** Consecutive events of one request; without events: ids that only have to be passed. */
export interface Batch {
  readonly events: readonly StoredEvent[];
  /** The cursor may go so far when this batch and all before it are accepted. */
  readonly upTo: EventId;
  state: 'waiting' | 'sending' | 'accepted';
}

/**
 * INVARIANTS
 * - Batches stand in the order of their events; one leaves at the front only, once it is accepted.
 * - A page that is taken in ends at its position, so that damaged and unwanted entries are passed in their turn.
 */
export class WebhookQueue {
  readonly #wanted: (type: string) => boolean;
  readonly #wishedEvents: number;
  /** Less after one was too large; grows again. */
  #mostEvents: number;
  #batches: Batch[] = [];

  constructor(wanted: (type: string) => boolean, mostEvents: number) {
    this.#wanted = wanted;
    this.#wishedEvents = mostEvents;
    this.#mostEvents = mostEvents;
  }

  get length(): number {
    return this.#batches.length;
  }

  get front(): Batch | undefined {
    return this.#batches[0];
  }

  take(page: { readonly events: readonly StoredEvent[]; readonly position: EventId }): void {
    const groups = this.#grouped(page.events.filter(({ type }) => this.#wanted(type)));
    const batches = groups.map(
      (events, index): Batch => ({
        events,
        upTo: index === groups.length - 1 ? page.position : idOfLast(events),
        state: 'waiting',
      }),
    );
    this.#batches.push(
      ...(batches.length > 0 ? batches : [{ events: [], upTo: page.position, state: 'accepted' } as const]),
    );
  }

  /** The oldest that is to be sent. */
  nextWaiting(): Batch | undefined {
    return this.#batches.find(({ state }) => state === 'waiting');
  }

  /** Removes what is accepted at the front; the id up to which everything is, null when the oldest is not. */
  passAccepted(): EventId | null {
    let upTo: EventId | null = null;
    for (let front = this.front; front?.state === 'accepted'; front = this.front) {
      upTo = front.upTo;
      this.#batches.shift();
      if (front.events.length >= this.#mostEvents)
        this.#mostEvents = Math.min(this.#wishedEvents, 2 * this.#mostEvents);
    }
    return upTo;
  }

  /** The batch becomes two halves, and later ones are no larger at first; false for a single event. */
  split(batch: Batch): boolean {
    const half = Math.ceil(batch.events.length / 2);
    if (batch.events.length < 2) return false;
    this.#mostEvents = half;
    const [first, rest] = [batch.events.slice(0, half), batch.events.slice(half)];
    this.#batches.splice(
      this.#batches.indexOf(batch),
      1,
      { events: first, upTo: idOfLast(first), state: 'waiting' },
      { events: rest, upTo: batch.upTo, state: 'waiting' },
    );
    return true;
  }

  #grouped(events: readonly StoredEvent[]): StoredEvent[][] {
    const groups: StoredEvent[][] = [];
    let bytes = 0;
    for (const event of events) {
      const group = groups.at(-1);
      const size = Buffer.byteLength(event.json) + 1;
      bytes += size;
      if (group !== undefined && group.length < this.#mostEvents && bytes <= BATCH_MAX_BYTES) {
        group.push(event);
      } else {
        groups.push([event]);
        bytes = size;
      }
    }
    return groups;
  }
}

/**
 * @param sourceKey Tells this appliance's ids from all others', see `sourceKeyOf`.
 * The id says which events are in the request, so that it is the same at every attempt, also after a restart.
 */
export function toRequest(
  events: readonly StoredEvent[],
  { inList, sourceKey }: { readonly inList: boolean; readonly sourceKey: string },
): WebhookRequest {
  const [first, last] = [events[0], events.at(-1)].map((event) => (event ? formatEventId(event.id) : ''));
  const json = events.map((event) => event.json).join(',');
  return {
    id: `${sourceKey}_${first}${first === last ? '' : `_${last}`}`,
    contentType: inList ? 'application/cloudevents-batch+json' : 'application/cloudevents+json',
    body: Buffer.from(inList ? `[${json}]` : json),
  };
}

/** CloudEvents ids are unique within their source only, and sources may have full stops, which `webhook-id` may not. */
export function sourceKeyOf(source: string): string {
  return createHash('sha256').update(source).digest('hex').slice(0, 16);
}

function idOfLast(events: readonly StoredEvent[]): EventId {
  const last = events.at(-1);
  if (last === undefined) throw new RangeError('a batch without events has no last id');
  return last.id;
}
