// What waits for Redis, in order, bounded in events and in bytes. The oldest events go first when it is full; what they left behind is
// counted for one buffer.gap, and their state patches are kept, because those still describe the present.
import type { StatePatch } from '../contracts/buffer.ts';
import type { EventDraft, EventId } from '../contracts/event.ts';
import { HeldDraft } from './held-draft.ts';

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

/** As the queue keeps it. */
interface HeldCall extends QueuedCall {
  readonly drafts: readonly HeldDraft[];
}

export interface QueueLimits {
  readonly events: number;
  readonly bytes: number;
}

const TAKEN: HeldCall = { drafts: [], state: {}, resolve: () => undefined };

export class MemoryQueue {
  readonly #limits: QueueLimits;
  readonly #onDropped: (count: number) => void;
  #calls: HeldCall[] = [];
  #head = 0;
  #size = 0;
  #bytes = 0;
  #gap: Gap | null = null;
  #gapState: StatePatch = {};

  constructor(limits: QueueLimits, onDropped: (count: number) => void) {
    this.#limits = limits;
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
    const drafts = call.drafts.map((draft) => new HeldDraft(draft));
    this.#calls.push({ ...call, drafts });
    this.#size += drafts.length;
    this.#bytes += bytesOf(drafts);
    while (this.#isOver()) this.#dropOldest();
  }

  /** Removes and returns whole calls from the front, at least one, until they have so many events or bytes. */
  take(most: QueueLimits): Waiting {
    const from = this.#head;
    let [taken, bytes] = [0, 0];
    while (this.#head < this.#calls.length) {
      const { drafts } = this.#calls[this.#head] ?? TAKEN;
      const nextBytes = bytesOf(drafts);
      if (taken > 0 && (taken + drafts.length > most.events || bytes + nextBytes > most.bytes)) break;
      taken += drafts.length;
      bytes += nextBytes;
      this.#head += 1;
      if (taken >= most.events || bytes >= most.bytes) break;
    }
    const waiting = { gap: this.#gap, gapState: this.#gapState, calls: this.#calls.slice(from, this.#head) };
    // Not only passed: a few calls of many events each would stay in memory until the array is cut.
    this.#calls.fill(TAKEN, from, this.#head);
    this.#size -= taken;
    this.#bytes -= bytes;
    this.#gap = null;
    this.#gapState = {};
    this.#compact();
    return waiting;
  }

  #isOver(): boolean {
    return this.#size > this.#limits.events || this.#bytes > this.#limits.bytes;
  }

  #dropOldest(): void {
    const call = this.#calls[this.#head];
    if (call === undefined) return;
    let count = 0;
    for (; count < call.drafts.length && this.#isOver(); count += 1) {
      this.#size -= 1;
      this.#bytes -= call.drafts[count]?.bytes ?? 0;
    }
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

function bytesOf(drafts: readonly HeldDraft[]): number {
  return drafts.reduce((sum, { bytes }) => sum + bytes, 0);
}
