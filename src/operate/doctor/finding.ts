// What a check of `autoweave doctor` finds, and what it gets to look at.
import type { Config } from '../../contracts/config.ts';

/** `unknown`: this machine does not tell; never shown as good. */
export type Verdict = 'ok' | 'attention' | 'fault' | 'unknown';

export interface Finding {
  readonly check: string;
  readonly verdict: Verdict;
  /** What was seen, with the value. */
  readonly why: string;
  /** What to do; null where nothing needs doing. */
  readonly remedy: string | null;
}

export type Seen = Omit<Finding, 'check'>;

export interface Patient {
  readonly config: Config;
  /** In front of /proc, /sys, /etc and /run. */
  readonly root: string;
  readonly nowMs: number;
  readonly signal: AbortSignal;
}

export interface Check {
  readonly name: string;
  /** What throws counts as a fault of its own: the check could not be made. */
  look(patient: Patient): Promise<Seen | readonly Seen[]>;
}

export const ok = (why: string): Seen => ({ verdict: 'ok', why, remedy: null });
export const attention = (why: string, remedy: string): Seen => ({ verdict: 'attention', why, remedy });
export const fault = (why: string, remedy: string): Seen => ({ verdict: 'fault', why, remedy });
export const unknown = (why: string, remedy: string | null = null): Seen => ({
  verdict: 'unknown',
  why,
  remedy,
});
