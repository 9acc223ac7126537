// `autoweave usb policy test FILE CASES`: devices written down with the verdict they must get, in the words of the rules themselves.
import { deviceFromRule } from '../../policy/device-from-rule.ts';
import { verdictsOf } from '../../policy/diff-policies.ts';
import { exitCodes } from '../command.ts';
import { implicitTarget, type PolicyAction, tryContext, usageFault } from './policy-action.ts';
import { readRulesFile } from './rules-file.ts';

export const testRules: PolicyAction = async (options) => {
  const { context, positionals, values, input } = options;
  const [file, cases, ...more] = positionals;
  if (file === undefined || cases === undefined || more.length > 0)
    return usageFault(options, 'test takes two files, FILE and CASES');
  const implicit = implicitTarget(options);
  if (implicit === null) return usageFault(options, '--implicit-target is allow, block or reject');
  const read = await readRulesFile(file, context, input);
  const expected = await readRulesFile(cases, context, input);
  if (!read.ok || !expected.ok) return exitCodes.refused;
  const results = expected.policy.rules.map(({ line, rule }) => {
    const written = deviceFromRule(rule);
    if (!written.ok) return { line, ok: false, why: written.reason };
    const [verdict] = verdictsOf(read.policy, [written.device], tryContext(implicit));
    const by = verdict?.rule === null ? 'the implicit target' : `line ${verdict?.rule.line}`;
    const ok = verdict?.target === rule.target;
    return { line, ok, why: `${verdict?.target} by ${by}, ${rule.target} expected` };
  });
  const failed = results.filter(({ ok }) => !ok);
  if (values.json === true) context.print(`${JSON.stringify({ ok: failed.length === 0, results })}\n`);
  else {
    for (const { line, why } of failed) context.complain(`${cases}:${line}: ${why}\n`);
    context.print(
      `${results.length - failed.length} of ${results.length} devices get the verdict that ${cases} expects\n`,
    );
  }
  return failed.length === 0 ? exitCodes.ok : exitCodes.refused;
};
