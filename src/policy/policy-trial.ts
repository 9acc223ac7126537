// A new policy on probation: a file beside the rules that holds until it is confirmed or its time is over. Pure. Uptime and boot
// id instead of wall time, so that no clock can lengthen it; a reboot ends it, because a box that was switched off and on again is a
// box that somebody could not reach otherwise.
import { type Static, Type } from 'typebox';
import { schemaCheck } from '../lib/schema-check.ts';
import { parsePolicy } from './parse-policy.ts';
import type { Policy } from './rule.ts';

const Trial = Type.Object(
  {
    bootId: Type.String({ minLength: 1, maxLength: 64 }),
    untilUptimeMs: Type.Number({ minimum: 0 }),
    /** Whoever applied it accepts that no keyboard may remain. */
    isForced: Type.Boolean(),
    rulesBase64: Type.String(),
  },
  { additionalProperties: false },
);

const check = schemaCheck(Trial);

export interface PolicyTrial extends Omit<Static<typeof Trial>, 'rulesBase64'> {
  readonly rules: Uint8Array;
}

export const MAX_TRIAL_MINUTES = 1_440;

export function trialFileOf(rulesFile: string): string {
  return `${rulesFile}.trial`;
}

export function printTrial({ rules, ...facts }: PolicyTrial): string {
  return `${JSON.stringify({ ...facts, rulesBase64: Buffer.from(rules).toString('base64') })}\n`;
}

export type TrialVerdict =
  | { readonly ok: true; readonly trial: PolicyTrial; readonly policy: Policy }
  | { readonly ok: false; readonly reason: string };

export function parseTrial(
  text: string,
  now: { readonly bootId: string; readonly uptimeMs: number },
): TrialVerdict {
  const checked = check(jsonOrNull(text));
  if (!checked.ok) return { ok: false, reason: 'the trial file is damaged' };
  const { rulesBase64, ...facts } = checked.value;
  if (facts.bootId !== now.bootId)
    return { ok: false, reason: 'the computer was started again before it was confirmed' };
  if (facts.untilUptimeMs <= now.uptimeMs) return { ok: false, reason: 'it was not confirmed in time' };
  if (facts.untilUptimeMs > now.uptimeMs + MAX_TRIAL_MINUTES * 60_000)
    return { ok: false, reason: 'its time is longer than a day' };
  const rules = Buffer.from(rulesBase64, 'base64');
  const parsed = parsePolicy(rules);
  if (!parsed.ok) return { ok: false, reason: 'its rules are damaged' };
  return { ok: true, trial: { ...facts, rules }, policy: parsed.policy };
}

function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    if (cause instanceof SyntaxError) return null;
    throw cause;
  }
}
