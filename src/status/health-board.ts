// What the parts say about themselves -> one report. Page, API, MQTT, LED and CLI all read it here [S7].
import type { Clock, Instant } from '../contracts/clock.ts';
import type { HealthReport, PartHealth, PartState, ReportHealth } from '../contracts/health.ts';

export interface HealthBoard {
  /**
   * A part is unknown until it first reports. With `maxAgeMs` it is unknown again when it has not confirmed its state for so
   * long; that shows in the next `report()`, `onChange` is not called for it.
   */
  reporter(part: string, options?: { readonly maxAgeMs?: number }): ReportHealth;
  report(): HealthReport;
  /** Called after a state or a reason changed, once for all changes of one turn. Returns how to stop listening. */
  onChange(listener: () => void): () => void;
}

interface Entry {
  state: PartState;
  why: string;
  since: Instant;
  confirmedMs: number;
  readonly maxAgeMs: number;
}

/** Worst first. Unknown is worse than ok: what nobody vouches for is not good; but a known fault says more. */
const severity: readonly PartState[] = ['down', 'degraded', 'unknown', 'ok'];

export function createHealthBoard(options: {
  readonly clock: Pick<Clock, 'now'>;
  readonly simulated: boolean;
  /** Parts without which the appliance does not do its work. Any other part that is down only degrades the whole. */
  readonly essential: readonly string[];
}): HealthBoard {
  const { clock, essential, simulated } = options;
  const weigh = (part: string, state: PartState): PartState =>
    state === 'down' && !essential.includes(part) ? 'degraded' : state;
  const entries = new Map<string, Entry>();
  const listeners = new Set<() => void>();
  let telling = false;

  const changed = () => {
    if (telling) return;
    telling = true;
    queueMicrotask(() => {
      telling = false;
      for (const listener of listeners) listener();
    });
  };

  return {
    reporter(part, { maxAgeMs = Number.POSITIVE_INFINITY } = {}) {
      const since = clock.now();
      const entry: Entry = {
        state: 'unknown',
        why: 'has not reported yet',
        since,
        confirmedMs: since.uptimeMs,
        maxAgeMs,
      };
      entries.set(part, entry);
      changed();
      return (state, why) => {
        const now = clock.now();
        const news = state !== entry.state || why !== entry.why;
        if (state !== entry.state) entry.since = now;
        entry.state = state;
        entry.why = why;
        entry.confirmedMs = now.uptimeMs;
        if (news) changed();
      };
    },

    report() {
      const now = clock.now();
      const parts = Object.fromEntries(
        [...entries].sort(([a], [b]) => (a < b ? -1 : 1)).map(([part, entry]) => [part, shown(entry, now)]),
      );
      const present = Object.entries(parts).map(([part, { state }]) => weigh(part, state));
      const state = severity.find((candidate) => present.includes(candidate)) ?? 'unknown';
      return { state, simulated, parts };
    },

    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

function shown({ state, why, since, confirmedMs, maxAgeMs }: Entry, now: Instant): PartHealth {
  const ageMs = Math.max(0, now.uptimeMs - confirmedMs);
  const ageSeconds = Math.round(ageMs / 100) / 10;
  if (ageMs <= maxAgeMs) return { state, why, ageSeconds, ...timeOf(since, now) };
  const expired: Instant = {
    uptimeMs: confirmedMs + maxAgeMs,
    wallMs: now.wallMs - (ageMs - maxAgeMs),
    synced: now.synced,
  };
  return {
    state: 'unknown',
    why: `has not been confirmed for ${Math.round(ageSeconds)} s; before that it was ${state}: ${why}`,
    ageSeconds,
    ...timeOf(expired, now),
  };
}

/** A time taken before the clock was right is set right by the uptime that has passed since. */
function timeOf(since: Instant, now: Instant): Pick<PartHealth, 'since' | 'clock'> {
  const corrected = !since.synced && now.synced;
  const wallMs = corrected ? now.wallMs - (now.uptimeMs - since.uptimeMs) : since.wallMs;
  return {
    since: new Date(wallMs).toISOString(),
    clock: since.synced || corrected ? 'synced' : 'unsynced',
  };
}
