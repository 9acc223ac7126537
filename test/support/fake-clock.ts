// A clock that stands still until it is told to move; wall time is 2026-01-01 at uptime 0.
import type { Clock, Instant } from '../../src/contracts/clock.ts';

export interface FakeClock extends Clock {
  advance(ms: number): void;
  synced: boolean;
  wallMs: number;
}

export function fakeClock(uptimeMs = 1_000): FakeClock {
  let uptime = uptimeMs;
  const clock: FakeClock = {
    bootId: '00000000-0000-4000-8000-000000000001',
    synced: true,
    wallMs: Date.UTC(2026, 0, 1) + uptimeMs,
    uptimeMs: () => uptime,
    now: (): Instant => ({ uptimeMs: uptime, wallMs: clock.wallMs, synced: clock.synced }),
    advance(ms) {
      uptime += ms;
      clock.wallMs += ms;
    },
  };
  return clock;
}
