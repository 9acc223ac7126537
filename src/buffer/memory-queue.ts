// What waits for Redis, in order and bounded. The oldest events go first when it is full; what they left behind is
// counted for one buffer.gap, and their state patches are kept, because those still describe the present.
import type { StatePatch } from '../contracts/buffer.ts';
import type { EventDraft, EventId } from '../contracts/event.ts';

/** One call of append(): stored whole, in one transaction. */
export interface QueuedCall {
  readonly drafts: readonly EventDraft[];
  readonly state: StatePatch;
  readonly resolve: (ids: readonly EventId[]) => void;
}

export interface Gap {
  readonly count: number;
  readonly fromUptimeMs: number;
  readonly toUptimeMs: number;
}

export interface Waiting {
  /** Dropped right before `calls`. */
  readonly gap: Gap | null;
  readonly gapState: StatePatch;
  readonly calls: readonly QueuedCall[];
}

const TAKEN: QueuedCall = { drafts: [], state: {}, resolve: () => undefined };

export class MemoryQueue {
  readonly #limit: number;
  readonly #onDropped: (count: number) => void;
  #calls: QueuedCall[] = [];
  #head = 0;
  #size = 0;
  #gap: Gap | null = null;
  #gapState: StatePatch = {};

  constructor(limit: number, onDropped: (count: number) => void) {
    this.#limit = limit;
    this.#onDropped = onDropped;
  }

  /** Events that wait. */
  get size(): number {
    return this.#size;
  }

  get isEmpty(): boolean {
    return this.#gap === null && this.#head === this.#calls.length;
  }

  push(call: QueuedCall): void {
    this.#calls.push(call);
    this.#size += call.drafts.length;
    while (this.#size > this.#limit) this.#dropOldest();
  }

  /** Removes and returns whole calls from the front, at least one, until they have `count` events. */
  take(count: number): Waiting {
    const from = this.#head;
    let taken = 0;
    while (this.#head < this.#calls.length) {
      const next = this.#calls[this.#head]?.drafts.length ?? 0;
      if (taken > 0 && taken + next > count) break;
      taken += next;
      this.#head += 1;
      if (taken >= count) break;
    }
    const waiting = { gap: this.#gap, gapState: this.#gapState, calls: this.#calls.slice(from, this.#head) };
    // Not only passed: a few calls of many events each would stay in memory until the array is cut.
    this.#calls.fill(TAKEN, from, this.#head);
    this.#size -= taken;
    this.#gap = null;
    this.#gapState = {};
    this.#compact();
    return waiting;
  }

  #dropOldest(): void {
    const call = this.#calls[this.#head];
    if (call === undefined) return;
    const count = Math.min(call.drafts.length, this.#size - this.#limit);
    const dropped = call.drafts.slice(0, count);
    if (count === call.drafts.length) {
      this.#gapState = { ...this.#gapState, ...call.state };
      this.#calls[this.#head] = TAKEN;
      this.#head += 1;
      this.#compact();
      call.resolve([]);
    } else {
      this.#calls[this.#head] = { ...call, drafts: call.drafts.slice(count) };
    }
    this.#size -= count;
    if (count > 0) this.#widenGap(dropped);
  }

  #widenGap(dropped: readonly EventDraft[]): void {
    const [from, to] = [dropped[0]?.observed.uptimeMs ?? 0, dropped.at(-1)?.observed.uptimeMs ?? 0];
    this.#gap = {
      count: (this.#gap?.count ?? 0) + dropped.length,
      fromUptimeMs: Math.min(this.#gap?.fromUptimeMs ?? from, from),
      toUptimeMs: Math.max(this.#gap?.toUptimeMs ?? to, to),
    };
    this.#onDropped(dropped.length);
  }

  #compact(): void {
    if (this.#head < 1_024 || this.#head * 2 < this.#calls.length) return;
    this.#calls = this.#calls.slice(this.#head);
    this.#head = 0;
  }
}
