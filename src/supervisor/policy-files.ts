// The rule file, a policy on probation and the override -> the policy in force, looked at once a second. A wrong file changes nothing;
// what was in force stays; so it does while a file cannot be read, until its time is over.
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
  let refusedTrial: string | null = null;
  let seenRules: string | null = null;
  let wrongRules: string | null = null;
  /** What cannot be read or removed now. What was in force because of it goes on. */
  const faults = new Map<string, string>();
  let override: { readonly mark: string; readonly untilMs: number } | null = null;
  let isOverridden = false;
  let generation = 0;

  const changed = (state: PolicyChange['state'], why: string) => {
    generation += 1;
    onChange({ state, rules: (trial?.policy ?? confirmed).rules.length, why });
  };

  const refuse = (why: string) =>
    onChange({ state: 'refused', rules: confirmed.rules.length, why: why.slice(0, 500) });
  /** Whether this is news. */
  const failed = (file: string, what: string, cause: unknown): boolean => {
    const fault = `${file} cannot be ${what} (${errorText(cause)})`;
    const isNews = faults.get(file) !== fault;
    faults.set(file, fault);
    return isNews;
  };

  const lookAtRules = async () => {
    const { file } = config;
    let mark: string;
    let bytes: Uint8Array;
    try {
      mark = await markOf(file);
      bytes = mark === '' || mark === seenRules ? Buffer.alloc(0) : await readFile(file);
    } catch (cause) {
      if (failed(file, 'read', cause)) refuse(faults.get(file) ?? '');
      return;
    }
    faults.delete(file);
    if (mark === seenRules) return;
    const isFirst = seenRules === null;
    // Not before it was read: a mark that is known is not read again.
    seenRules = mark;
    const verdict = parsePolicy(bytes);
    if (verdict.ok) {
      wrongRules = null;
      const isSame = sameRules(confirmed, verdict.policy);
      confirmed = verdict.policy;
      if (!isSame) changed('in-force', isFirst ? 'the appliance has started' : `${file} has changed`);
      return;
    }
    const [problem] = verdict.problems;
    wrongRules = `${file}:${problem === undefined ? ' not a rule file' : problemText(problem)}`;
    refuse(wrongRules);
  };

  const lookAtTrial = async () => {
    const text = await readTrial();
    if (text === null) {
      refusedTrial = null;
      if (trial === null) return;
      // A probation that was confirmed since the rules were read has left new ones.
      await lookAtRules();
      trial = null;
      return changed('in-force', 'the probation has ended: the confirmed rules are in force');
    }
    const parsed = parseTrial(text, { bootId: clock.bootId, uptimeMs: clock.uptimeMs() });
    if (!parsed.ok) {
      const isTold = text === refusedTrial;
      refusedTrial = await rm(trialFile, { force: true }).then(
        () => null,
        (cause: unknown) => {
          failed(trialFile, 'removed', cause);
          return text;
        },
      );
      if (isTold || (trial === null && text === '')) return;
      trial = null;
      return changed('returned', `the policy on probation is gone: ${parsed.reason}`);
    }
    if (trial?.text === text) return;
    trial = { text, facts: parsed.trial, policy: parsed.policy };
    const minutes = Math.ceil((parsed.trial.untilUptimeMs - clock.uptimeMs()) / 60_000);
    changed('on-probation', `unless it is confirmed the old rules return in ${minutes} min`);
  };
  /** null: there is none. What was read once goes on until its time is over. */
  const readTrial = async (): Promise<string | null> => {
    faults.delete(trialFile);
    try {
      return await readFile(trialFile, 'utf8');
    } catch (cause) {
      if (isAbsent(cause)) return null;
      failed(trialFile, 'read', cause);
      return trial?.text ?? refusedTrial;
    }
  };

  const lookAtOverride = async () => {
    const { overrideFile } = config;
    try {
      const mark = await markOf(overrideFile);
      faults.delete(overrideFile);
      if (mark === '') override = null;
      else if (override?.mark !== mark) override = await beginOverride(mark);
    } catch (cause) {
      failed(overrideFile, 'looked at', cause);
    }
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
    else if (faults.size > 0)
      report(
        'degraded',
        `${what}; ${[...faults.values()].join('; ')}; look at the disk and at the permissions`,
      );
    else if (wrongRules !== null)
      report('degraded', `${what}; ${wrongRules}; put the file right, \`autoweave usb policy check\` helps`);
    else report('ok', what);
  };
  let looking: Promise<void> | null = null;
  const lookOnce = async () => {
    await lookAtRules();
    await lookAtTrial();
    await lookAtOverride();
    say();
  };
  let following: Promise<void> | null = null;
  /** Who asks while a look is under way gets the one after it: what he has changed may have been read before. */
  const look = (): Promise<void> => {
    if (looking !== null) {
      following ??= looking.then(() => {
        following = null;
        return look();
      });
      return following;
    }
    looking = lookOnce()
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

/** Changes with every new content; '' when there is no such file. Rejects when that cannot be known. */
async function markOf(file: string): Promise<string> {
  try {
    const { ino, mtimeMs, size } = await stat(file);
    return `${ino}-${mtimeMs}-${size}`;
  } catch (cause) {
    if (isAbsent(cause)) return '';
    throw cause;
  }
}

/** Every other failure (EIO, EACCES, EMFILE …) says nothing about whether the file is there. */
function isAbsent(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
}

function sameRules(a: Policy, b: Policy): boolean {
  return (
    a.rules.length === b.rules.length && a.rules.every(({ text }, index) => text === b.rules[index]?.text)
  );
}
