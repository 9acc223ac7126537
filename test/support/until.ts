// Waits for a condition that another process brings about; for conditions without an event of their own.
import { setTimeout as delay } from 'node:timers/promises';

/** Resolves with the first value that is neither undefined, null nor false; rejects with `what` after `limitMs`. */
export async function until<T>(
  what: string,
  probe: () => T | Promise<T>,
  limitMs = 60_000,
): Promise<Exclude<T, undefined | null | false>> {
  const end = performance.now() + limitMs;
  for (;;) {
    const value = await probe();
    if (value !== undefined && value !== null && value !== false)
      return value as Exclude<T, undefined | null | false>;
    if (performance.now() > end)
      throw new Error(`${what}: not within ${limitMs} ms; last value ${String(value)}`);
    await delay(20);
  }
}
