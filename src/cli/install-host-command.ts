// `autoweave install-host`: this program as services of an ordinary host with systemd, and the way back.
import path from 'node:path';
import { parseArgs } from 'node:util';
import { AppError } from '../lib/app-error.ts';
import { productVersion } from '../lib/product-version.ts';
import type { HostFacts } from '../operate/install-host/host-facts.ts';
import { hostFiles } from '../operate/install-host/host-files.ts';
import { stepText } from '../operate/install-host/host-step.ts';
import { offlineRest, planInstall } from '../operate/install-host/plan-install.ts';
import { planUninstall } from '../operate/install-host/plan-uninstall.ts';
import { readHostFacts } from '../operate/install-host/read-host-facts.ts';
import { runSteps } from '../operate/install-host/run-steps.ts';
import { type Command, type CommandContext, exitCodes } from './command.ts';

interface Options {
  readonly root: string;
  readonly dryRun: boolean;
  readonly purge: boolean;
  readonly replace: boolean;
}

export const installHostCommand: Command = {
  name: 'install-host',
  summary: 'Install this program as services of this host (systemd), or uninstall it',
  usage: `install-host [--dry-run] [--replace] [--root DIR] [--node FILE]
       autoweave install-host --uninstall [--purge] [--dry-run] [--root DIR]

Run as root from the built file. The same command upgrades; running it twice changes nothing.

  --dry-run    Say every step and do none
  --replace    Overwrite files that were changed since, or that somebody else put there
  --root DIR   Install into the tree of another system; nothing is started
  --node FILE  The Node to run, instead of the one that runs this command
  --uninstall  Take away exactly what was installed; data, secrets and changed files stay
  --purge      Take those away as well`,
  async run(context) {
    const { values } = parseArgs({
      args: [...context.args],
      options: {
        root: { type: 'string', default: '/' },
        node: { type: 'string' },
        'dry-run': { type: 'boolean', default: false },
        replace: { type: 'boolean', default: false },
        uninstall: { type: 'boolean', default: false },
        purge: { type: 'boolean', default: false },
      },
    });
    if (values.purge && !values.uninstall) {
      context.complain('autoweave install-host: --purge goes with --uninstall.\n');
      return exitCodes.usage;
    }
    const options: Options = {
      root: path.resolve(values.root),
      dryRun: values['dry-run'],
      purge: values.purge,
      replace: values.replace,
    };
    try {
      const facts = await readHostFacts({ root: options.root, node: values.node ?? null });
      return await (values.uninstall ? uninstall : install)(facts, options, context);
    } catch (cause) {
      if (!(cause instanceof AppError)) throw cause;
      context.complain(`${cause.code}: ${cause.message}\n`);
      return exitCodes.refused;
    }
  },
};

async function install(facts: HostFacts, options: Options, context: CommandContext): Promise<number> {
  const plan = planInstall(facts, {
    files: hostFiles(),
    version: productVersion,
    replace: options.replace,
  });
  if (!plan.ok) {
    for (const { code, message } of plan.refusals) context.complain(`${code}: ${message}\n`);
    return exitCodes.refused;
  }
  await follow(plan.steps, options, context);
  if (options.dryRun) return exitCodes.ok;
  if (facts.offline) {
    context.complain(`Left to do in that system:\n${offlineRest.map((line) => `  ${line}\n`).join('')}`);
  } else {
    context.complain(
      'Installed and running. Settings: /etc/autoweave/autoweave.json; log: journalctl -u autoweave\n',
    );
  }
  return exitCodes.ok;
}

async function uninstall(facts: HostFacts, options: Options, context: CommandContext): Promise<number> {
  const { steps, left } = planUninstall(facts, { purge: options.purge });
  await follow(steps, options, context);
  if (left.length > 0) {
    context.complain(
      `Left in place (--uninstall --purge takes it away too):\n${left.map((one) => `  ${one}\n`).join('')}`,
    );
  }
  return exitCodes.ok;
}

async function follow(
  steps: Parameters<typeof runSteps>[0],
  { root, dryRun }: Options,
  { print }: CommandContext,
): Promise<void> {
  if (dryRun) for (const step of steps) print(`would ${stepText(step)}\n`);
  else await runSteps(steps, { root, say: (text) => print(`${text}\n`) });
}
