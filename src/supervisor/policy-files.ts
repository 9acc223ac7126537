// The rule file, a policy on probation and the override -> the policy in force, looked at once a second. A wrong file changes nothing;
// what was in force stays.
import { readFile, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Clock } from '../contracts/clock.ts';
import type { PolicyConfig } from '../contracts/config/policy-config.ts';
import type { EventData } from '../contracts/event-types.ts';
import type { ReportHealth } from '../contracts/health.ts';
import { errorText } from '../lib/error-text.ts';
import { replaceFile } from '../operate/replace-file.ts';
import { parsePolicy } from '../policy/parse-policy.ts';
import { problemText } from '../policy/policy-problem.ts';
import { type PolicyTrial, parseTrial, trialFileOf } from '../policy/policy-trial.ts';
import type { Policy } from '../policy/rule.ts';

export interface PolicyInForce {
  readonly policy: Policy;
  /** Whoever applied it accepts that no keyboard may remain. */
  readonly isForced: boolean;
  readonly isOverridden: boolean;
  /** Counts up with every change. */
  readonly generation: number;
}

export interface PolicyFiles {
  now(): PolicyInForce;
  /** Looks again now, whatever the period; resolves once it has. */
  look(): Promise<void>;
  stop(): void;
}

export type PolicyChange = EventData<'usb.policy.changed'>;

const none: Policy = { rules: [] };

/** Resolves once the files have been read for the first time. */
export async function watchPolicyFiles(options: {
  readonly config: PolicyConfig;
  /** tmpfs: how long the override still lasts must survive the daemon, and end with the boot. */
  readonly runDir: string;
  readonly clock: Clock;
  readonly report: ReportHealth;
  readonly onChange: (change: PolicyChange) => void;
  readonly periodMs: number;
}): Promise<PolicyFiles> {
  const { config, clock, report, onChange } = options;
  const trialFile = trialFileOf(config.file);
  const untilFile = path.join(options.runDir, 'usb-override-until');
  let confirmed: Policy = none;
  let trial: { readonly text: string; readonly facts: PolicyTrial; readonly policy: Policy } | null = null;
  let seenRules: string | null = null;
  let fault: string | null = null;
  let override: { readonly mark: string; readonly untilMs: number } | null = null;
  let isOverridden = false;
  let generation = 0;

  const changed = (state: PolicyChange['state'], why: string) => {
    generation += 1;
    onChange({ state, rules: (trial?.policy ?? confirmed).rules.length, why });
  };

  const lookAtRules = async () => {
    const mark = await markOf(config.file);
    if (mark === seenRules) return;
    const isFirst = seenRules === null;
    seenRules = mark;
    const bytes = mark === '' ? Buffer.alloc(0) : await readFile(config.file).catch(errorText);
    const verdict = typeof bytes === 'string' ? null : parsePolicy(bytes);
    if (verdict?.ok === true) {
      fault = null;
      const isSame = sameRules(confirmed, verdict.policy);
      confirmed = verdict.policy;
      if (!isSame) changed('in-force', isFirst ? 'the appliance has started' : `${config.file} has changed`);
      return;
    }
    const [problem] = verdict?.problems ?? [];
    fault =
      problem === undefined
        ? `${config.file} cannot be read (${String(bytes)})`
        : `${config.file}:${problemText(problem)}`;
    onChange({ state: 'refused', rules: confirmed.rules.length, why: fault.slice(0, 500) });
  };

  const lookAtTrial = async () => {
    const text = await readFile(trialFile, 'utf8').catch(() => null);
    if (text === null) {
      if (trial === null) return;
      trial = null;
      return changed('in-force', 'the probation has ended: the confirmed rules are in force');
    }
    const parsed = parseTrial(text, { bootId: clock.bootId, uptimeMs: clock.uptimeMs() });
    if (!parsed.ok) {
      await rm(trialFile, { force: true }).catch((cause: unknown) =>
        report('degraded', `${trialFile} cannot be removed (${errorText(cause)})`),
      );
      if (trial === null && text === '') return;
      trial = null;
      return changed('returned', `the policy on probation is gone: ${parsed.reason}`);
    }
    if (trial?.text === text) return;
    trial = { text, facts: parsed.trial, policy: parsed.policy };
    const minutes = Math.ceil((parsed.trial.untilUptimeMs - clock.uptimeMs()) / 60_000);
    changed('on-probation', `unless it is confirmed the old rules return in ${minutes} min`);
  };

  const lookAtOverride = async () => {
    const mark = await markOf(config.overrideFile);
    if (mark === '') override = null;
    else if (override?.mark !== mark) override = await beginOverride(mark);
    const isOver = override === null || clock.uptimeMs() >= override.untilMs;
    if (isOver !== isOverridden) return;
    isOverridden = !isOver;
    changed(
      isOverridden ? 'override-begun' : 'override-ended',
      isOverridden
        ? `every device is authorized for ${config.overrideMinutes} min at most: somebody at the computer has asked for it`
        : 'the rules hold again',
    );
  };
  /** The same file counts once, also when the daemon is started again meanwhile. */
  const beginOverride = async (mark: string) => {
    const kept = await readFile(untilFile, 'utf8').catch(() => '');
    const [keptMark, keptUntil] = kept.trim().split(' ');
    const untilMs =
      keptMark === mark ? Number(keptUntil) : clock.uptimeMs() + config.overrideMinutes * 60_000;
    await replaceFile(untilFile, `${mark} ${untilMs}\n`, { mode: 0o644 }).catch((cause: unknown) =>
      report('degraded', `the end of the override cannot be noted (${errorText(cause)})`),
    );
    return { mark, untilMs };
  };

  const say = () => {
    const { rules } = trial?.policy ?? confirmed;
    const what = `${rules.length} rules ${trial === null ? 'in force' : 'on probation'}`;
    if (isOverridden) report('degraded', `${what}, but every device is authorized: the override is on`);
    else if (fault !== null)
      report('degraded', `${what}; ${fault}; put the file right, \`autoweave usb policy check\` helps`);
    else report('ok', what);
  };
  let looking: Promise<void> | null = null;
  const lookOnce = async () => {
    await lookAtRules();
    await lookAtTrial();
    await lookAtOverride();
    say();
  };
  const look = (): Promise<void> => {
    looking ??= lookOnce()
      .catch((cause: unknown) =>
        report('degraded', `the policy files cannot be looked at (${errorText(cause)})`),
      )
      .finally(() => {
        looking = null;
      });
    return looking;
  };

  await look();
  const timer = setInterval(() => void look(), options.periodMs);
  return {
    now: () => ({
      policy: trial?.policy ?? confirmed,
      isForced: trial?.facts.isForced ?? false,
      isOverridden,
      generation,
    }),
    look,
    stop: () => clearInterval(timer),
  };
}

/** Changes with every new content; '' when there is no such file. */
async function markOf(file: string): Promise<string> {
  try {
    const { ino, mtimeMs, size } = await stat(file);
    return `${ino}-${mtimeMs}-${size}`;
  } catch {
    return '';
  }
}

function sameRules(a: Policy, b: Policy): boolean {
  return (
    a.rules.length === b.rules.length && a.rules.every(({ text }, index) => text === b.rules[index]?.text)
  );
}
