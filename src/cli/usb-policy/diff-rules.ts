// `autoweave usb policy diff OLD NEW`: rules that came, went and moved, and what becomes of the devices that are plugged in.
import { diffPolicies } from '../../policy/diff-policies.ts';
import { exitCodes } from '../command.ts';
import {
  deviceText,
  implicitTarget,
  judgeableHost,
  type PolicyAction,
  tryContext,
  usageFault,
} from './policy-action.ts';
import { readRulesFile } from './rules-file.ts';

export const diffRules: PolicyAction = async (options) => {
  const { context, positionals, values, input } = options;
  const [before, after, ...more] = positionals;
  if (before === undefined || after === undefined || more.length > 0)
    return usageFault(options, 'diff takes two files, OLD and NEW');
  const implicit = implicitTarget(options);
  if (implicit === null) return usageFault(options, '--implicit-target is allow, block or reject');
  const old = await readRulesFile(before, context, input);
  const young = await readRulesFile(after, context, input);
  if (!old.ok || !young.ok) return exitCodes.refused;
  const host = await judgeableHost(options);
  const diff = diffPolicies([old.policy, young.policy], host?.devices ?? [], tryContext(implicit));
  if (values.json === true) {
    const rules = (list: typeof diff.added) => list.map(({ line, text }) => ({ line, rule: text }));
    const devices = diff.devices.map(({ device, was, is }) => ({
      port: device.viaPort,
      was: was.target,
      is: is.target,
    }));
    context.print(
      `${JSON.stringify({ added: rules(diff.added), removed: rules(diff.removed), moved: rules(diff.moved), devices, devicesKnown: host !== null })}\n`,
    );
    return exitCodes.ok;
  }
  for (const { line, text } of diff.removed) context.print(`- ${before}:${line}  ${text}\n`);
  for (const { line, text } of diff.added) context.print(`+ ${after}:${line}  ${text}\n`);
  for (const { line, text } of diff.moved) context.print(`~ ${after}:${line}  ${text}\n`);
  for (const { device, was, is } of diff.devices)
    context.print(`${deviceText(device)}: ${was.target} -> ${is.target}\n`);
  if (diff.added.length + diff.removed.length + diff.moved.length + diff.devices.length === 0)
    context.print('The same rules in the same order; no device changes.\n');
  return exitCodes.ok;
};
