// `autoweave usb policy explain FILE|-`: for each device that is plugged in, the verdict and the rules that were passed over.
import { explainVerdict } from '../../policy/explain-verdict.ts';
import type { PolicyDevice } from '../../policy/policy-device.ts';
import { createRuleHistory } from '../../policy/rule-history.ts';
import { floorOf } from '../../policy/safety-floor.ts';
import { exitCodes } from '../command.ts';
import {
  deviceText,
  implicitTarget,
  judgeableHost,
  type PolicyAction,
  tryContext,
  usageFault,
} from './policy-action.ts';
import { readBootMedia } from './read-usb-host.ts';
import { readRulesFile } from './rules-file.ts';

export const explainPolicy: PolicyAction = async (options) => {
  const { context, positionals, values, input, roots } = options;
  const [file, ...more] = positionals;
  if (file === undefined || more.length > 0)
    return usageFault(options, 'explain takes one FILE, or - for standard input');
  const implicit = implicitTarget(options);
  if (implicit === null) return usageFault(options, '--implicit-target is allow, block or reject');
  const read = await readRulesFile(file, context, input);
  const host = read.ok ? await judgeableHost(options) : null;
  if (!read.ok || host === null) return exitCodes.refused;
  const wanted = host.devices.filter(({ viaPort }) => values.port === undefined || values.port === viaPort);
  if (wanted.length === 0) {
    context.complain(
      `autoweave usb policy: nothing is plugged in${values.port ? ` at ${String(values.port)}` : ''}\n`,
    );
    return exitCodes.refused;
  }
  const { ports: bootPorts } = await readBootMedia(roots);
  const allowed: PolicyDevice[] = [];
  const history = createRuleHistory();
  for (const device of host.devices) {
    const explained = explainVerdict(read.policy, device, { ...tryContext(implicit), allowed, history });
    if (explained.target === 'allow') allowed.push(device);
    if (!wanted.includes(device)) continue;
    const floor = floorOf(device, bootPorts);
    const { target, rule, passed } = explained;
    if (values.json === true) {
      const passedOver = passed.map(({ rule: { line }, because }) => ({ line, because }));
      context.print(
        `${JSON.stringify({ port: device.viaPort, target, floor, line: rule?.line ?? null, rule: rule?.text ?? null, passedOver })}\n`,
      );
      continue;
    }
    context.print(`${deviceText(device)}\n`);
    for (const { rule: before, because } of passed)
      context.print(`    line ${before.line} does not apply: ${because}\n`);
    const why = rule === null ? 'no rule applies; the implicit target' : `line ${rule.line}: ${rule.text}`;
    context.print(`    ${target}  ${why}\n`);
    if (floor !== null && target !== 'allow')
      context.print(`    but it stays allowed: ${floor}; no policy may cut it off\n`);
  }
  return exitCodes.ok;
};
