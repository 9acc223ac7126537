import type { Clock, Instant } from '../contracts/clock.ts';

/**
 * The moment `uptimeMs`, as the wall clock of now would have called it; now itself when that lies in the future or longer ago than
 * `plausibleMs`: then the number is not to be trusted.
 */
export function instantOf(clock: Clock, uptimeMs: number, plausibleMs = Number.POSITIVE_INFINITY): Instant {
  const now = clock.now();
  const ageMs = now.uptimeMs - uptimeMs;
  return ageMs >= 0 && ageMs <= plausibleMs ? { ...now, uptimeMs, wallMs: now.wallMs - ageMs } : now;
}
