// `allow` or `block` for the device at a port -> a rule for just that device before all others, in the file of the confirmed rules.
import { readFile, stat } from 'node:fs/promises';
import type { ActVerdict, DeviceJudgement } from '../contracts/appliance-control.ts';
import type { PolicyConfig } from '../contracts/config/policy-config.ts';
import { errorText } from '../lib/error-text.ts';
import { replaceFile } from '../operate/replace-file.ts';
import { generatePolicy } from '../policy/generate-policy.ts';
import { parsePolicy } from '../policy/parse-policy.ts';
import type { PolicyDevice } from '../policy/policy-device.ts';
import { trialFileOf } from '../policy/policy-trial.ts';
import { printRule } from '../policy/print-rule.ts';
import type { PlacedRule, Target } from '../policy/rule.ts';
import type { Gatekeeper } from './usb-gatekeeper.ts';

/** How a rule of the page is told from one that somebody wrote. */
const LABEL = 'operator';
const MAX_LABEL = 120;

export interface JudgeParts {
  readonly config: PolicyConfig;
  readonly gatekeeper: () => Pick<Gatekeeper, 'addressAt' | 'deviceAt' | 'protectedBy'> | undefined;
  /** Resolves once the rules were read again and every device was judged by them. */
  readonly obey: () => Promise<void>;
}

/** One after the other: each reads the file and writes it anew. */
export function createDeviceJudge(parts: JudgeParts): (asked: DeviceJudgement) => Promise<ActVerdict> {
  let last: Promise<unknown> = Promise.resolve();
  return (asked) => {
    const judged = last.then(() => judge(asked, parts));
    last = judged.catch(() => undefined);
    return judged;
  };
}

async function judge(
  { address, port, reason, target }: DeviceJudgement,
  parts: JudgeParts,
): Promise<ActVerdict> {
  const { config } = parts;
  const gatekeeper = parts.gatekeeper();
  const no = (code: string, why: string): ActVerdict => ({ ok: false, code, reason: why });
  if (gatekeeper === undefined)
    return no('policy.unavailable', 'policy.mode is off: set it to report or enforce');
  const device = gatekeeper.deviceAt(port);
  if (device === null) return no('policy.not-there', `no device that a rule can judge is at port ${port}`);
  if (address !== undefined && address !== gatekeeper.addressAt(port))
    return no('policy.another-device', `at port ${port} is another device by now, or the same one anew`);
  const floor = target === 'block' ? gatekeeper.protectedBy(port) : null;
  if (floor !== null)
    return no('policy.safety-floor', `${port} is protected (${floor}): no rule cuts it off`);
  if (await exists(trialFileOf(config.file)))
    return no('policy.on-probation', 'a policy is on probation: confirm it or take it back first');
  try {
    const old = await readFile(config.file).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code === 'ENOENT') return Buffer.alloc(0);
      throw cause;
    });
    const parsed = parsePolicy(old);
    if (!parsed.ok)
      return no('policy.damaged', `${config.file} is not right: \`autoweave usb policy check\` says where`);
    const rule = ruleFor(device, target, reason);
    const text = withRule(old, parsed.policy.rules, rule, device.hash);
    if (!parsePolicy(text).ok) return no('policy.damaged', 'the rule for this device cannot be written');
    await replaceFile(config.file, text, { mode: 0o644 });
  } catch (cause) {
    return no('policy.write-failed', `the rules cannot be changed: ${errorText(cause)}`);
  }
  await parts.obey();
  const only = config.mode === 'report' ? ' (policy.mode is report: it is only told)' : '';
  return { ok: true, detail: `${port} has a rule: ${target}${only}` };
}

function ruleFor(device: PolicyDevice, target: Target, reason: string): string {
  const [rule] = generatePolicy([device], { ports: 'missing-serial', hashes: 'with', catchAll: null });
  const label = `${LABEL} ${reason.replace(/[^\x20-\x7e]/g, '?')}`.slice(0, MAX_LABEL);
  return printRule({ ...rule, target, label: { operator: 'equals', values: [label] } });
}

/** Everything else of the file stays as it is, byte for byte; an earlier rule of the same kind for the same device goes. */
function withRule(old: Buffer, rules: readonly PlacedRule[], rule: string, hash: string): Buffer {
  const gone = new Set(
    rules
      .filter(
        ({ rule: each }) =>
          each.label?.values[0]?.startsWith(`${LABEL} `) === true && each.hash?.values[0] === hash,
      )
      .map(({ line }) => line),
  );
  const kept = old
    .toString('latin1')
    .split('\n')
    .filter((_, index) => !gone.has(index + 1));
  return Buffer.from([rule, ...kept].join('\n'), 'latin1');
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}
