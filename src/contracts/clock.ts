/**
 * Where an instant comes from. Timers, order and expiry use `uptimeMs` alone: wall time may jump or be wrong
 * until it is synchronized [U9].
 */
export interface Instant {
  /** Milliseconds since boot, CLOCK_MONOTONIC; together with the boot id it can be turned into wall time later. */
  readonly uptimeMs: number;
  /** Milliseconds since 1970 as the machine's clock said, right or wrong. */
  readonly wallMs: number;
  /** Whether the wall clock was known to be synchronized at that moment. */
  readonly synced: boolean;
}

export interface Clock {
  now(): Instant;
  uptimeMs(): number;
  /** The kernel's random id of this boot. */
  readonly bootId: string;
}
