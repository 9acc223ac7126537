// `autoweave usb policy check FILE|-`
import { lintPolicy } from '../../policy/lint-policy.ts';
import { exitCodes } from '../command.ts';
import { type PolicyAction, usageFault } from './policy-action.ts';
import { readRulesFile } from './rules-file.ts';

export const checkPolicy: PolicyAction = async (options) => {
  const { context, positionals, values, input } = options;
  const [file, ...more] = positionals;
  if (file === undefined || more.length > 0)
    return usageFault(options, 'check takes one FILE, or - for standard input');
  const read = await readRulesFile(file, context, input);
  const warnings = read.ok ? lintPolicy(read.policy) : [];
  if (values.json === true) {
    const facts = read.ok
      ? { ok: true, rules: read.policy.rules.length, warnings }
      : { ok: false, problems: read.problems };
    context.print(`${JSON.stringify({ file, ...facts })}\n`);
  } else if (read.ok) {
    for (const { line, text } of warnings) context.complain(`${file}:${line}: warning: ${text}\n`);
    context.print(`${file}: ${read.policy.rules.length} rules, in order\n`);
  }
  return read.ok ? exitCodes.ok : exitCodes.refused;
};
