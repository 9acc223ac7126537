// `autoweave provision`: a file somebody filled in -> the state folder. Run at boot before the daemon, or by hand.
import path from 'node:path';
import { parseArgs } from 'node:util';
import { keepSecrets } from '../config/keep-secrets.ts';
import { loadConfig } from '../config/load-config.ts';
import { parseConfigText } from '../config/parse-config-text.ts';
import { readConfigFile } from '../config/read-config-file.ts';
import { readSecretsFile } from '../config/read-secrets-file.ts';
import { type Secrets, splitSecrets } from '../config/split-secrets.ts';
import type { Config } from '../contracts/config.ts';
import { AppError } from '../lib/app-error.ts';
import { ensureIdentity } from '../operate/identity/ensure-identity.ts';
import { importProvision, provisionedNames, textOrNull } from '../operate/import-provision.ts';
import { type Command, type CommandContext, exitCodes } from './command.ts';
import { complainAbout } from './complain-about.ts';

export const provisionCommand: Command = {
  name: 'provision',
  summary: 'Import a provisioning file: settings, secrets, identity',
  usage: `provision --from FILE --to DIR [--forget]

Checks FILE whole; anything wrong refuses all of it and changes nothing. Then DIR has
  autoweave.json   the settings, without secrets (for daemon --config)
  secrets.json     passwords and the like, mode 0600 (for daemon --secrets)
  identity.key     the appliance's own private key, made once, mode 0600
  identity.csr     the certificate request for it
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
      return await provision({ from: values.from, to: values.to, forget: values.forget }, context);
    } catch (cause) {
      if (!(cause instanceof AppError)) throw cause;
      context.complain(`${cause.code}: ${cause.message}\n`);
      return exitCodes.refused;
    }
  },
};

async function provision(
  { from, to, forget }: { readonly from: string; readonly to: string; readonly forget: boolean },
  context: CommandContext,
): Promise<number> {
  const split = splitSecrets({ file: from, text: await readConfigFile(from) });
  if (!split.ok) {
    complainAbout(split.problems, context);
    return exitCodes.refused;
  }
  const before = forget ? { config: null, sealed: {} } : await readBefore(to, context);
  const { secrets, dropped } = keepSecrets({
    sealed: before.sealed,
    before: before.config,
    after: split.config,
    fresh: split.secrets,
  });
  const identity = await ensureIdentity(to, split.config.appliance);
  const hasSecrets = Object.keys(split.secrets).length > 0;
  const written = await importProvision({
    dir: to,
    configText: split.publicText,
    secretsText: `${JSON.stringify(secrets, null, 2)}\n`,
    cleaned: hasSecrets ? { file: from, text: split.publicText } : null,
  });

  for (const file of written) context.print(`wrote ${file}\n`);
  context.print(
    `${identity.isNew ? 'made' : 'kept'} ${identity.keyFile}, certificate request ${identity.requestFile}\n`,
  );
  for (const field of dropped) {
    context.complain(
      `${field} was sealed for another broker or account and is forgotten: write it into ${from} again if it is needed.\n`,
    );
  }
  return exitCodes.ok;
}

async function readBefore(
  dir: string,
  context: CommandContext,
): Promise<{ readonly config: Config | null; readonly sealed: Secrets }> {
  const file = path.join(dir, provisionedNames.config);
  const text = await textOrNull(file);
  const verdict = text === null ? null : loadConfig({ file, text, environment: {} });
  const secretsFile = path.join(dir, provisionedNames.secrets);
  const { text: secretsText, warning } = await readSecretsFile(secretsFile);
  if (warning !== null) context.complain(`${warning}\n`);
  const parsed = secretsText === null ? null : parseConfigText(secretsText, secretsFile);
  return {
    config: verdict?.ok === true ? verdict.config : null,
    sealed: parsed?.ok === true ? sectionsOf(parsed.value) : {},
  };
}

function sectionsOf(value: Readonly<Record<string, unknown>>): Secrets {
  return Object.fromEntries(
    Object.entries(value).filter(([, content]) => typeof content === 'object' && content !== null),
  ) as Secrets;
}
