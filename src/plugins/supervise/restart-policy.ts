// Failures of a plugin and their times -> when it is tried again, or that it is not for a good while. Pure; clock and randomness
// come in.

const FIRST_MS = 500;
const MOST_MS = 60_000;
const WINDOW_MS = 600_000;
const OPENS_AFTER = 8;
const OPEN_MS = 900_000;

export type AfterFailure =
  | { readonly kind: 'retry'; readonly inMs: number; readonly failures: number }
  /** The circuit is open: one more trial after `inMs`, and one failure then opens it again. */
  | { readonly kind: 'open'; readonly inMs: number; readonly failures: number };

export class RestartPolicy {
  readonly #random: () => number;
  #failures: number[] = [];
  #halfOpen = false;

  constructor(random: () => number) {
    this.#random = random;
  }

  failed(nowMs: number): AfterFailure {
    this.#failures = [...this.#failures.filter((atMs) => nowMs - atMs < WINDOW_MS), nowMs];
    const failures = this.#failures.length;
    if (this.#halfOpen || failures >= OPENS_AFTER) {
      this.#halfOpen = true;
      return { kind: 'open', inMs: OPEN_MS, failures };
    }
    const fullMs = Math.min(MOST_MS, FIRST_MS * 2 ** (failures - 1));
    // Between half and all of it: several that fail together do not come back together.
    return { kind: 'retry', inMs: Math.round(fullMs * (0.5 + this.#random() / 2)), failures };
  }

  /** Failures that were one event's doing, which has been put aside. */
  forgive(count: number): void {
    this.#failures = this.#failures.slice(0, Math.max(0, this.#failures.length - count));
  }

  /** It has been up for as long as failures count, or somebody enabled it. */
  reset(): void {
    this.#failures = [];
    this.#halfOpen = false;
  }

  get recent(): number {
    return this.#failures.length;
  }
}
