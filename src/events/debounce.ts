// Transitions of a port are held until the port has been quiet for debounceMs, then folded. Time is that of the changes.
import { type Fold, foldTransitions } from './fold-transitions.ts';
import { LowestOf } from './lowest-of.ts';
import { isSameButPolicy } from './same-device.ts';
import { coverBoth, isPlug, type Transition } from './transition.ts';

/** A port that never gets quiet is told after so many times debounceMs. */
const LONGEST_HOLD = 10;
/** More than a real bus can do within the longest hold at the default; bounds the memory of one port. */
const MOST_HELD = 64;

interface Held {
  readonly transitions: Transition[];
  readonly capMs: number;
  lowestSeqnum: number;
  dueMs: number;
  merged: number;
}

export class Debounce {
  readonly #debounceMs: number;
  readonly #held = new Map<string, Held>();
  readonly #due = new LowestOf<string>();

  constructor(debounceMs: number) {
    this.#debounceMs = debounceMs;
  }

  hold(port: string, transition: Transition): void {
    const { uptimeMs } = transition.observed;
    let held = this.#held.get(port);
    if (held === undefined) {
      held = {
        transitions: [],
        capMs: uptimeMs + LONGEST_HOLD * this.#debounceMs,
        dueMs: uptimeMs + this.#debounceMs,
        lowestSeqnum: Number.POSITIVE_INFINITY,
        merged: 0,
      };
      this.#held.set(port, held);
    }
    held.lowestSeqnum = Math.min(held.lowestSeqnum, transition.covers?.from ?? held.lowestSeqnum);
    if (mergeCompletion(held.transitions, transition)) held.merged += 1;
    else held.transitions.push(transition);
    // A ready or a change is no bounce and delays nothing.
    if (isPlug(transition)) held.dueMs = Math.min(uptimeMs + this.#debounceMs, held.capMs);
    this.#due.set(port, held.dueMs);
  }

  isHolding(port: string): boolean {
    return this.#held.has(port);
  }

  isFull(port: string): boolean {
    return (this.#held.get(port)?.transitions.length ?? 0) >= MOST_HELD;
  }

  /** Takes everything of the port out. */
  release(port: string): Fold {
    const held = this.#held.get(port);
    if (held === undefined) return { kept: [], folded: 0 };
    this.#held.delete(port);
    this.#due.delete(port);
    const { kept, folded } = foldTransitions(held.transitions);
    return { kept, folded: folded + held.merged };
  }

  /** Ports whose hold has ended, the earliest first. */
  duePorts(uptimeMs: number): readonly string[] {
    return this.#due.keysUpTo(uptimeMs);
  }

  ports(): readonly string[] {
    return [...this.#held.keys()];
  }

  /** Infinity when nothing is held. */
  nextDueMs(): number {
    return this.#due.lowest();
  }

  lowestSeqnum(port: string): number {
    return this.#held.get(port)?.lowestSeqnum ?? Number.POSITIVE_INFINITY;
  }
}

/** A device that could be read, or was judged, only after its added was held: the added says it at once. */
function mergeCompletion(held: Transition[], transition: Transition): boolean {
  const last = held.at(-1);
  if (transition.kind !== 'changed' || last?.kind !== 'added') return false;
  const isJudged = transition.device.policy !== undefined && isSameButPolicy(last.device, transition.device);
  if (last.device.identity !== null && !isJudged) return false;
  held[held.length - 1] = {
    ...last,
    device: transition.device,
    covers: coverBoth(last.covers, transition.covers),
  };
  return true;
}
