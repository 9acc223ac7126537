// Exponential back-off with full jitter: after a broker's restart its clients come back spread out, not at once.

export interface Backoff {
  readonly minMs: number;
  readonly maxMs: number;
}

/** `attempt` counts failures from 0; somewhere between `minMs` and the doubled-each-time ceiling. */
export function backoffDelayMs(attempt: number, { minMs, maxMs }: Backoff, random: () => number): number {
  const highest = Math.max(minMs, maxMs);
  const ceiling = Math.min(highest, minMs * 2 ** Math.min(attempt + 1, 30));
  return minMs + random() * (ceiling - minMs);
}
