// `autoweave usb policy …`: rules for USB devices, checked, explained, made, compared, tried and applied.
import { parseArgs } from 'node:util';
import { nearestName } from '../lib/nearest-name.ts';
import { type Command, exitCodes } from './command.ts';
import { applyRules } from './usb-policy/apply-rules.ts';
import { checkPolicy } from './usb-policy/check-policy.ts';
import { diffRules } from './usb-policy/diff-rules.ts';
import { explainPolicy } from './usb-policy/explain-policy.ts';
import { generateRules } from './usb-policy/generate-rules.ts';
import type { PolicyAction } from './usb-policy/policy-action.ts';
import { type HostRoots, hostRoots } from './usb-policy/read-usb-host.ts';
import { type ReadInput, readStandardInput } from './usb-policy/rules-file.ts';
import { testRules } from './usb-policy/test-rules.ts';

const actions: Readonly<Record<string, PolicyAction>> = {
  check: checkPolicy,
  explain: explainPolicy,
  generate: generateRules,
  diff: diffRules,
  test: testRules,
  apply: applyRules,
};

export function createUsbCommand(roots: HostRoots, input: ReadInput): Command {
  return {
    name: 'usb',
    summary: 'Check, explain, make, compare, try and apply the USB policy',
    usage: `usb policy check FILE|-
       autoweave usb policy explain FILE|- [--port PORT]
       autoweave usb policy generate [-p] [-P] [-X] [-H] [-t TARGET]
       autoweave usb policy diff OLD NEW
       autoweave usb policy test FILE CASES
       autoweave usb policy apply FILE [--minutes N] [--force] [--config FILE | --to FILE]
       autoweave usb policy apply --confirm | --return [--config FILE | --to FILE]

  check      Say each line that is wrong, with column and what was expected there
  explain    For every device that is plugged in: the verdict, and why the rules before did not apply
  generate   Print a policy that allows what is plugged in now (the options of usbguard generate-policy):
             -p, --with-ports   with the port of every device        -X, --no-hashes   without hashes
             -P, --no-ports-sn  no port for devices without serial   -H, --hash-only   hashes alone
             -t, --target T     a last rule for everything else
  diff       Rules that came, went or moved, and devices whose verdict changes
  test       Each line of CASES is a device with the verdict it must get: allow id 046d:c31c via-port "1-2"
  apply      Put FILE in force for N minutes (10), after which the old rules return unless it was confirmed

Files are written in the language of usbguard-rules.conf(5). - is standard input.
  --implicit-target T   For devices that no rule matches: allow, block or reject (block)
  --json                The result as JSON
  --sysfs DIR           Where sysfs is (/sys)`,
    async run(context) {
      const { values, positionals } = parseArgs({
        args: [...context.args],
        options: {
          json: { type: 'boolean' },
          sysfs: { type: 'string' },
          port: { type: 'string' },
          'implicit-target': { type: 'string' },
          'with-ports': { type: 'boolean', short: 'p' },
          'no-ports-sn': { type: 'boolean', short: 'P' },
          'no-hashes': { type: 'boolean', short: 'X' },
          'hash-only': { type: 'boolean', short: 'H' },
          target: { type: 'string', short: 't' },
          minutes: { type: 'string' },
          force: { type: 'boolean' },
          confirm: { type: 'boolean' },
          return: { type: 'boolean' },
          config: { type: 'string' },
          to: { type: 'string' },
        },
        allowPositionals: true,
      });
      const [topic = '', name = '', ...rest] = positionals;
      const action = Object.hasOwn(actions, name) ? actions[name] : undefined;
      if (topic !== 'policy' || action === undefined) {
        const near = topic === 'policy' ? nearestName(name, Object.keys(actions)) : null;
        context.complain(
          topic === 'policy'
            ? `autoweave usb policy: ${name === '' ? '' : `there is no "${name}". `}${near === null ? `Say ${Object.keys(actions).join(', ')}.` : `Did you mean ${near}?`}\n`
            : `autoweave usb: ${topic === '' ? '' : `there is no "${topic}". `}Say policy.\n`,
        );
        return exitCodes.usage;
      }
      const sysfsRoot = values.sysfs ?? roots.sysfsRoot;
      return action({ context, positionals: rest, values, roots: { ...roots, sysfsRoot }, input });
    },
  };
}

export const usbCommand: Command = createUsbCommand(hostRoots, readStandardInput);
