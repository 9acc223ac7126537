// `autoweave usb policy generate`: what is plugged in now as a policy, with the options of `usbguard generate-policy`.
import { type GenerateOptions, generatePolicy } from '../../policy/generate-policy.ts';
import { printRule } from '../../policy/print-rule.ts';
import { targets } from '../../policy/rule.ts';
import { exitCodes } from '../command.ts';
import { judgeableHost, type PolicyAction, usageFault } from './policy-action.ts';

export const generateRules: PolicyAction = async (options) => {
  const { context, positionals, values } = options;
  if (positionals.length > 0)
    return usageFault(options, 'generate takes no FILE; it prints to standard output');
  const catchAll = values.target === undefined ? null : targets.find((each) => each === values.target);
  if (catchAll === undefined) return usageFault(options, '--target is allow, block or reject');
  const host = await judgeableHost(options);
  if (host === null) return exitCodes.refused;
  const generate: GenerateOptions = {
    ports:
      values['with-ports'] === true ? 'always' : values['no-ports-sn'] === true ? 'never' : 'missing-serial',
    hashes: values['hash-only'] === true ? 'only' : values['no-hashes'] === true ? 'without' : 'with',
    catchAll,
  };
  const rules = generatePolicy(host.devices, generate).map(printRule);
  if (values.json === true) context.print(`${JSON.stringify({ rules })}\n`);
  else for (const rule of rules) context.print(`${rule}\n`);
  return exitCodes.ok;
};
