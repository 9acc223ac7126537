// How long the start of a plugin may take. Time that its own cpu.max held it back is not its fault and does not count: on a slow
// machine, at a low share of a core, an honest start may need longer than the limit.

export interface StartLimitOptions {
  readonly limitMs: number;
  /** Since its process began; null: not known, then every moment counts. */
  readonly heldBackMs: () => Promise<number | null>;
  readonly onOver: () => void;
}

/** Whatever held it back. */
const AT_MOST_LIMITS = 4;

export class StartLimit {
  readonly #options: StartLimitOptions;
  readonly #beganMs = performance.now();
  #timer: NodeJS.Timeout;
  #isOver = false;

  constructor(options: StartLimitOptions) {
    this.#options = options;
    this.#timer = this.#after(options.limitMs);
  }

  /** The start is through, or is not waited for any more. */
  clear(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
  }

  #after(ms: number): NodeJS.Timeout {
    return setTimeout(() => void this.#look(), ms);
  }

  async #look(): Promise<void> {
    const { heldBackMs, limitMs, onOver } = this.#options;
    const held = (await heldBackMs().catch(() => null)) ?? 0;
    if (this.#isOver) return;
    const allowedMs = Math.min(limitMs + held, AT_MOST_LIMITS * limitMs);
    // A timer may come a moment early.
    const leftMs = Math.ceil(allowedMs - (performance.now() - this.#beganMs));
    if (leftMs > 0) this.#timer = this.#after(leftMs);
    else onOver();
  }
}
