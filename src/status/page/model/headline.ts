// The state as the LED and the screen show it -> the one thing that the overview says. Pure.
import { t } from '../strings.ts';
import type { StateAnswer } from './answers.ts';
import { secondsBetween } from './units.ts';

export type Tone = 'ok' | 'warn' | 'bad' | 'info' | 'unknown';

export interface Headline {
  readonly tone: Tone;
  readonly title: string;
  readonly reason: string;
  /** How long it has been so; null: not known. */
  readonly forSeconds: number | null;
}

type Led = NonNullable<StateAnswer['led']>['state'];

const tones: Readonly<Record<Led, Tone>> = {
  good: 'ok',
  attention: 'warn',
  'buffering-offline': 'warn',
  fault: 'bad',
  updating: 'info',
  booting: 'info',
  'setting-up': 'info',
  identify: 'info',
};

export const partTones = { ok: 'ok', degraded: 'warn', down: 'bad', unknown: 'unknown' } as const;

const named: ReadonlySet<Led> = new Set(['fault', 'attention', 'booting']);

function worst(parts: StateAnswer['health']['parts']): string | null {
  for (const wanted of ['down', 'degraded', 'unknown']) {
    const found = Object.entries(parts).find(([, { state }]) => state === wanted);
    if (found !== undefined) return `${t.part(found[0])}: ${found[1].why}`;
  }
  return null;
}

/** @param silentSeconds since the answer came */
export function toHeadline(
  state: StateAnswer | null,
  { stale, silentSeconds }: { readonly stale: boolean; readonly silentSeconds: number },
): Headline {
  if (state === null)
    return { tone: 'unknown', title: t.headline.unknown, reason: t.headline.unknownWhy, forSeconds: null };
  if (stale)
    return {
      tone: 'unknown',
      title: t.headline.stale,
      reason: t.headline.staleWhy,
      forSeconds: silentSeconds,
    };
  const { led, health, time } = state;
  if (led !== undefined) {
    const seconds = secondsBetween(led.since, time);
    return {
      tone: tones[led.state] ?? 'unknown',
      title: t.led[led.state] ?? led.state,
      // What the LED says is one word for many faults: the worst part says which.
      reason: named.has(led.state) ? (worst(health.parts) ?? led.reason) : led.reason,
      forSeconds: seconds === null ? null : seconds + silentSeconds,
    };
  }
  return {
    tone: partTones[health.state],
    title: t.health[health.state],
    reason: worst(health.parts) ?? '',
    forSeconds: null,
  };
}
