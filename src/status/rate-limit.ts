// A token bucket for each client address, in bounded memory.
import { clientKey } from './client-key.ts';

/** Beyond it the address that was silent for longest is forgotten, which gives it a full bucket. */
const MAX_ADDRESSES = 4_096;

export interface RateLimit {
  /** 0 when the request may pass, else the seconds after which the next one may. */
  wait(address: string, nowMs: number): number;
}

export function createRateLimit(options: { readonly perSecond: number; readonly burst: number }): RateLimit {
  const { perSecond, burst } = options;
  // A Map keeps the order of insertion: taking out and putting back makes its first entry the most silent.
  const buckets = new Map<string, { readonly tokens: number; readonly atMs: number }>();
  return {
    wait(address, nowMs) {
      const key = clientKey(address);
      const { tokens, atMs } = buckets.get(key) ?? { tokens: burst, atMs: nowMs };
      const filled = Math.min(burst, tokens + ((nowMs - atMs) / 1_000) * perSecond);
      const passes = filled >= 1;
      buckets.delete(key);
      buckets.set(key, { tokens: passes ? filled - 1 : filled, atMs: nowMs });
      if (buckets.size > MAX_ADDRESSES) {
        const [oldest] = buckets.keys();
        if (oldest !== undefined) buckets.delete(oldest);
      }
      return passes ? 0 : Math.ceil((1 - filled) / perSecond);
    },
  };
}
