// Tokens that come back at a steady rate of uptime. A bucket may be overdrawn: the debt delays the next one.

export class TokenBucket {
  readonly #perSecond: number;
  readonly #burst: number;
  #tokens: number;
  #atMs: number;

  constructor(perSecond: number, burst: number, uptimeMs: number) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#tokens = burst;
    this.#atMs = uptimeMs;
  }

  hasToken(uptimeMs: number): boolean {
    this.#refill(uptimeMs);
    // Sums of fractions: 0.9999999 is a token, or the wait computed below would never end.
    return this.#tokens >= 1 - 1e-6;
  }

  charge(tokens: number, uptimeMs: number): void {
    this.#refill(uptimeMs);
    this.#tokens -= tokens;
  }

  /** Uptime at which there is a token, rounded up to whole milliseconds. */
  nextTokenMs(): number {
    const missing = Math.max(0, 1 - this.#tokens);
    return missing === 0 ? this.#atMs : Math.ceil(this.#atMs + (missing / this.#perSecond) * 1_000);
  }

  #refill(uptimeMs: number): void {
    if (uptimeMs <= this.#atMs) return;
    const gained = ((uptimeMs - this.#atMs) / 1_000) * this.#perSecond;
    this.#tokens = Math.min(this.#burst, this.#tokens + gained);
    this.#atMs = uptimeMs;
  }
}
