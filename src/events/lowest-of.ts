// A number per key and the lowest of them: due times, held sequence numbers. Holds one entry a key, whatever comes.

export class LowestOf<Key> {
  readonly #values = new Map<Key, number>();
  #lowest = Number.POSITIVE_INFINITY;
  #isStale = false;

  set(key: Key, value: number): void {
    const before = this.#values.get(key);
    if (before === value) return;
    if (before === this.#lowest) this.#isStale = true;
    this.#values.set(key, value);
    if (value < this.#lowest) {
      this.#lowest = value;
      this.#isStale = false;
    }
  }

  delete(key: Key): void {
    if (this.#values.get(key) === this.#lowest) this.#isStale = true;
    this.#values.delete(key);
  }

  /** Infinity when there is none. */
  lowest(): number {
    if (this.#isStale) {
      this.#lowest = Number.POSITIVE_INFINITY;
      for (const value of this.#values.values()) if (value < this.#lowest) this.#lowest = value;
      this.#isStale = false;
    }
    return this.#lowest;
  }

  /** Lowest first; those of equal value in the order in which they came. */
  keysUpTo(limit: number): readonly Key[] {
    if (this.lowest() > limit) return [];
    return [...this.#values]
      .filter(([, value]) => value <= limit)
      .sort(([, a], [, b]) => a - b)
      .map(([key]) => key);
  }
}
