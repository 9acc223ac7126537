// How old an event surely is. A clock that is wrong by years may neither keep nor remove anything: by uptime within the same
// boot, by the wall clock only where it was synchronized then and is now. Pure.
import type { Clock } from '../contracts/clock.ts';
import { type Observed, observedIn } from './archive/observed.ts';

/** Milliseconds; null: not known. */
export function provenAgeMs(event: Observed, clock: Clock): number | null {
  const { uptimeMs, wallMs, synced } = clock.now();
  if (event.bootid === clock.bootId && event.uptimems !== undefined)
    return Math.max(0, uptimeMs - event.uptimems);
  if (!synced || event.clock !== 'synced') return null;
  const ageMs = wallMs - Date.parse(event.time ?? '');
  return Number.isFinite(ageMs) ? Math.max(0, ageMs) : null;
}

/** As far as the clocks can be believed; 0 where they say nothing. */
export function ageSecondsOf(json: string, clock: Clock): number {
  const event = observedIn(json);
  const ageMs = provenAgeMs(event, clock) ?? clock.now().wallMs - Date.parse(event.time ?? '');
  return Number.isFinite(ageMs) ? Math.max(0, ageMs / 1_000) : 0;
}
