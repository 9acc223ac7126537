// A token bucket over the uptime: what comes slower than the limit is never held up.

export interface RateLimit {
  /** At most this share (0 to 1) of the burst is left. */
  begin(share: number): void;
  /** Takes a place, or more than there are, which delays the next one; false when there is none now. */
  take(cost?: number): boolean;
  /** Until the next place. */
  waitMs(): number;
}

export interface RateLimitOptions {
  /** 0: no limit. */
  readonly perSecond: number;
  /** Places of a full bucket; default: one second's worth. */
  readonly burst?: number;
  readonly clock: { uptimeMs(): number };
}

export function createRateLimit({ perSecond, burst = perSecond, clock }: RateLimitOptions): RateLimit {
  if (perSecond === 0) return { begin: () => undefined, take: () => true, waitMs: () => 0 };
  let places = burst;
  let filledMs = clock.uptimeMs();
  const fill = () => {
    const nowMs = clock.uptimeMs();
    places = Math.min(burst, places + ((nowMs - filledMs) * perSecond) / 1_000);
    filledMs = nowMs;
  };
  return {
    begin(share) {
      fill();
      places = Math.min(places, burst * share);
    },
    take(cost = 1) {
      fill();
      // Sums of fractions: 0.9999999 is a place, or the wait below would be for nothing.
      if (places < 1 - 1e-6) return false;
      places -= cost;
      return true;
    },
    waitMs() {
      fill();
      return places >= 1 ? 0 : Math.ceil(((1 - places) * 1_000) / perSecond);
    },
  };
}
