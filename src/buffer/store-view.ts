// What this process knows of the store without asking: how far it has acknowledged, and what the state hash holds.
import { type EventId, START } from '../contracts/event.ts';
import type { Batch } from './batch.ts';
import type { StoreTail } from './store-tail.ts';

export class StoreView {
  readonly #state = new Map<string, string>();
  #ends = new Map<number, number>();
  #floor: EventId = START;
  #acknowledged: EventId | null = null;

  /** Last id that is known to be stored and fsynced; null before the first contact. */
  get acknowledged(): EventId | null {
    return this.#acknowledged;
  }
  /** Last stored number of every generation that has entries. */
  get ends(): ReadonlyMap<number, number> {
    return this.#ends;
  }
  /** Nothing up to here is stored any more. */
  get floor(): EventId {
    return this.#floor;
  }
  /** The state hash after the last acknowledged batch. */
  get state(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.#state);
  }

  /** What the store says on a new connection. Its state counts at the first contact only: later it can just be older. */
  see(tail: StoreTail): void {
    if (this.#acknowledged === null)
      for (const [field, value] of Object.entries(tail.state)) this.#state.set(field, value);
    this.#ends = new Map(tail.ends);
    this.#floor = tail.floor;
    this.#acknowledged = tail.last;
  }

  stored({ entries, last, work }: Batch): void {
    for (const [field, value] of Object.entries(work.patch)) {
      if (value === null) this.#state.delete(field);
      else this.#state.set(field, value);
    }
    if (entries.length === 0) return;
    this.#ends.set(last.generation, last.number);
    this.#acknowledged = last;
  }

  trimmed(floor: EventId): void {
    this.#floor = floor;
    for (const generation of this.#ends.keys())
      if (generation < floor.generation) this.#ends.delete(generation);
  }
}
