// The real clock: CLOCK_MONOTONIC counts from boot and never jumps; wall time is whatever the machine believes.
import { readFileSync } from 'node:fs';
import type { Clock } from '../contracts/clock.ts';

/** `isSynced` says whether wall time rests on a synchronized clock (see watch-clock-sync.ts). */
export function systemClock(isSynced: () => boolean): Clock {
  const uptimeMs = () => Math.round(Number(process.hrtime.bigint()) / 1_000) / 1_000;
  return {
    bootId: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
    uptimeMs,
    now: () => ({ uptimeMs: uptimeMs(), wallMs: Date.now(), synced: isSynced() }),
  };
}
