// `autoweave usb policy apply FILE`, `--confirm`, `--return`: a checked policy on probation, the daemon takes it from there. Refused
// when it would cut off the last keyboard or the boot medium, unless forced.
import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { loadConfig } from '../../config/load-config.ts';
import { readConfigFile } from '../../config/read-config-file.ts';
import { AppError } from '../../lib/app-error.ts';
import { errorText } from '../../lib/error-text.ts';
import { replaceFile } from '../../operate/replace-file.ts';
import { verdictsOf } from '../../policy/diff-policies.ts';
import { MAX_TRIAL_MINUTES, parseTrial, printTrial, trialFileOf } from '../../policy/policy-trial.ts';
import type { Policy, Target } from '../../policy/rule.ts';
import { floorOf, lastKeyboards } from '../../policy/safety-floor.ts';
import { exitCodes } from '../command.ts';
import { complainAbout } from '../complain-about.ts';
import {
  type ActionOptions,
  deviceText,
  judgeableHost,
  type PolicyAction,
  tryContext,
  usageFault,
} from './policy-action.ts';
import { readBootMedia } from './read-usb-host.ts';
import { readRulesFile } from './rules-file.ts';

export const applyRules: PolicyAction = async (options) => {
  const { context, positionals, values, input } = options;
  const [file, ...more] = positionals;
  const isEnding = values.confirm === true || values.return === true;
  if (
    more.length > 0 ||
    (file === undefined) !== isEnding ||
    (values.confirm === true && values.return === true)
  )
    return usageFault(options, 'apply takes one FILE, or --confirm, or --return');
  const minutes = Number(values.minutes ?? '10');
  if (!Number.isInteger(minutes) || minutes < 1 || minutes > MAX_TRIAL_MINUTES)
    return usageFault(options, `--minutes is a whole number from 1 to ${MAX_TRIAL_MINUTES}`);
  const place = await placeOf(options);
  if (place === null) return exitCodes.refused;
  try {
    if (file === undefined) return await endTrial(options, place);
    const read = await readRulesFile(file, context, input);
    if (!read.ok) return exitCodes.refused;
    const isForced = values.force === true;
    if (!isForced && !(await isSafe(options, read.policy, place))) return exitCodes.refused;
    const now = await bootOf(options);
    const untilUptimeMs = now.uptimeMs + minutes * 60_000;
    const trial = printTrial({ bootId: now.bootId, untilUptimeMs, isForced, rules: read.bytes });
    await replaceFile(trialFileOf(place.file), trial, { mode: 0o644 });
    context.print(
      `${read.policy.rules.length} rules are on probation for ${minutes} minutes, then the old ones return.\n` +
        'If everything works: autoweave usb policy apply --confirm\n',
    );
    return exitCodes.ok;
  } catch (cause) {
    if (!(cause instanceof AppError)) throw cause;
    context.complain(`${cause.code}: ${cause.message}\n`);
    return exitCodes.refused;
  }
};

interface Place {
  readonly file: string;
  readonly implicitTarget: Target;
}

/** Where the daemon reads its rules: --to, or what its configuration says. */
async function placeOf({ context, values }: ActionOptions): Promise<Place | null> {
  const file =
    typeof values.config === 'string' ? values.config : (context.environment.AUTOWEAVE_CONFIG ?? null);
  try {
    const text = file === null ? null : await readConfigFile(file);
    const loaded = loadConfig({ file, text, environment: context.environment });
    if (!loaded.ok) {
      complainAbout(loaded.problems, context);
      return null;
    }
    const { policy } = loaded.config;
    if (policy.mode === 'off')
      context.complain(
        'policy.mode is off: the rules are kept, but nothing obeys them until it is report or enforce\n',
      );
    return {
      file: path.resolve(typeof values.to === 'string' ? values.to : policy.file),
      implicitTarget: policy.implicitTarget,
    };
  } catch (cause) {
    if (!(cause instanceof AppError)) throw cause;
    context.complain(`${cause.code}: ${cause.message}\n`);
    return null;
  }
}

async function endTrial(options: ActionOptions, { file }: Place): Promise<number> {
  const { context, values } = options;
  const trialFile = trialFileOf(file);
  const text = await readFile(trialFile, 'utf8').catch(() => null);
  if (text === null) {
    context.complain(`autoweave usb policy: there is no policy on probation (${trialFile})\n`);
    return exitCodes.refused;
  }
  if (values.confirm === true) {
    const parsed = parseTrial(text, await bootOf(options));
    if (!parsed.ok) {
      context.complain(`autoweave usb policy: confirm ${trialFile}: ${parsed.reason}; apply it again\n`);
      return exitCodes.refused;
    }
    // The rules first: a power cut between the two leaves a probation of what is in force anyway.
    await replaceFile(file, parsed.trial.rules, { mode: 0o644 });
  }
  await rm(trialFile, { force: true });
  context.print(values.confirm === true ? `${file} is in force.\n` : 'The old rules are in force again.\n');
  return exitCodes.ok;
}

/** Says what would be cut off; true when nothing that must stay would be. */
async function isSafe(options: ActionOptions, policy: Policy, { implicitTarget }: Place): Promise<boolean> {
  const { context, roots } = options;
  const host = await judgeableHost(options);
  if (host === null) {
    context.complain(
      'Whether the policy cuts off the last keyboard cannot be known; --force applies it all the same.\n',
    );
    return false;
  }
  const verdicts = verdictsOf(policy, host.devices, tryContext(implicitTarget));
  const authorized = new Set(host.host.filter(({ isAuthorized }) => isAuthorized).map(({ port }) => port));
  const { ports: bootPorts } = await readBootMedia(roots);
  const judged = host.devices.map((device, index) => ({
    device,
    isAuthorized: authorized.has(device.viaPort),
    target: verdicts[index]?.target ?? implicitTarget,
  }));
  const lost = new Set(lastKeyboards(judged));
  const cut = judged.filter(
    ({ device, target }) =>
      lost.has(device.viaPort) || (target !== 'allow' && floorOf(device, bootPorts) === 'boot-medium'),
  );
  for (const { device } of cut)
    context.complain(
      `${deviceText(device)}: ${lost.has(device.viaPort) ? 'the last keyboard' : 'the boot medium'} would be cut off\n`,
    );
  if (cut.length > 0) context.complain('Nothing was changed. Add a rule that allows it, or --force.\n');
  return cut.length === 0;
}

async function bootOf({
  roots,
}: ActionOptions): Promise<{ readonly bootId: string; readonly uptimeMs: number }> {
  const file = path.join(roots.procRoot, 'sys/kernel/random/boot_id');
  try {
    return {
      bootId: (await readFile(file, 'utf8')).trim(),
      uptimeMs: Number(process.hrtime.bigint() / 1_000_000n),
    };
  } catch (cause) {
    throw new AppError('cli.no-boot-id', `read ${file}: ${errorText(cause)}; is /proc mounted?`, { cause });
  }
}
