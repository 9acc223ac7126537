// `autoweave provision`: a file somebody filled in -> the state folder. Run at boot before the daemon, or by hand.
import { parseArgs } from 'node:util';
import { AppError } from '../lib/app-error.ts';
import { type Command, type CommandContext, exitCodes } from './command.ts';
import { complainAbout } from './complain-about.ts';
import { provision } from './provision.ts';

export const provisionCommand: Command = {
  name: 'provision',
  summary: 'Import a provisioning file: settings, secrets, identity',
  usage: `provision --from FILE --to DIR [--forget]

Checks FILE whole; anything wrong refuses all of it and changes nothing. Then DIR has
  autoweave.json   the settings, without secrets (for daemon --config)
  secrets.json     passwords and the like, mode 0600 (for daemon --secrets)
  identity.key     the appliance's own private key, made once, mode 0600
  identity.csr     the certificate request for it
  trust/trust.json whose plugins are trusted, when a trust.json lies beside FILE
and the secrets are removed from FILE. Secrets of an earlier import stay, but a password only as long as the broker's
address, account and authority are the same.

  --forget   Keep no secrets of an earlier import`,
  async run(context) {
    const { values } = parseArgs({
      args: [...context.args],
      options: {
        from: { type: 'string' },
        to: { type: 'string' },
        forget: { type: 'boolean', default: false },
      },
    });
    if (values.from === undefined || values.to === undefined) {
      context.complain('autoweave provision: --from FILE and --to DIR are needed.\n');
      return exitCodes.usage;
    }
    try {
      return await run({ from: values.from, to: values.to, forget: values.forget }, context);
    } catch (cause) {
      if (!(cause instanceof AppError)) throw cause;
      context.complain(`${cause.code}: ${cause.message}\n`);
      return exitCodes.refused;
    }
  },
};

async function run(request: Parameters<typeof provision>[0], context: CommandContext): Promise<number> {
  const result = await provision(request);
  if (!result.ok) {
    complainAbout(result.problems, context);
    return exitCodes.refused;
  }
  const { identity, warnings, written } = result;
  for (const file of written) context.print(`wrote ${file}\n`);
  context.print(
    `${identity.isNew ? 'made' : 'kept'} ${identity.keyFile}, certificate request ${identity.requestFile}\n`,
  );
  for (const warning of warnings) context.complain(`${warning}\n`);
  return exitCodes.ok;
}
