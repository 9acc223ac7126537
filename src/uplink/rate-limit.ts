// A token bucket of one second's worth: what comes slower than the limit is never held up. [L2]
import type { Clock } from '../contracts/clock.ts';

export interface RateLimit {
  /** Takes one place; false when there is none now. */
  take(): boolean;
  /** Until the next place. */
  waitMs(): number;
}

/** `perSecond` 0: no limit. */
export function createRateLimit(perSecond: number, clock: Pick<Clock, 'uptimeMs'>): RateLimit {
  if (perSecond === 0) return { take: () => true, waitMs: () => 0 };
  let places = perSecond;
  let filledMs = clock.uptimeMs();
  const fill = () => {
    const nowMs = clock.uptimeMs();
    places = Math.min(perSecond, places + ((nowMs - filledMs) * perSecond) / 1_000);
    filledMs = nowMs;
  };
  return {
    take() {
      fill();
      if (places < 1) return false;
      places -= 1;
      return true;
    },
    waitMs() {
      fill();
      return places >= 1 ? 0 : Math.ceil(((1 - places) * 1_000) / perSecond);
    },
  };
}
