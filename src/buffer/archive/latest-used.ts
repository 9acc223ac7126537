/** Keeps the `limit` results that were asked for last; one that is still being made is shared, one that failed is forgotten. */
export class LatestUsed<T> {
  readonly #limit: number;
  readonly #kept = new Map<string, Promise<T>>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  get(key: string, make: () => Promise<T>): Promise<T> {
    const value = this.#kept.get(key) ?? make();
    // Set again: a Map is in the order of insertion.
    this.#kept.delete(key);
    this.#kept.set(key, value);
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= this.#limit) break;
      this.#kept.delete(oldest);
    }
    value.catch(() => {
      if (this.#kept.get(key) === value) this.#kept.delete(key);
    });
    return value;
  }
}
