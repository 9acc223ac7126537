// `autoweave config check|show|schema`: file and environment exactly as the daemon would read them.
import { parseArgs } from 'node:util';
import type { ConfigProblem } from '../config/config-problem.ts';
import { configSchema } from '../config/config-schema.ts';
import { type ConfigVerdict, loadConfig } from '../config/load-config.ts';
import { readConfigFile } from '../config/read-config-file.ts';
import { redactConfig } from '../config/redact-config.ts';
import { AppError } from '../lib/app-error.ts';
import { nearestName } from '../lib/nearest-name.ts';
import { type Command, type CommandContext, exitCodes } from './command.ts';
import { complainAbout } from './complain-about.ts';
import { plainLine } from './plain-text.ts';

type Loaded = ConfigVerdict & { readonly file: string | null };
type Action = (
  context: CommandContext,
  options: { readonly config?: string; readonly json: boolean },
) => Promise<number>;

const actions: Readonly<Record<string, Action>> = {
  async check(context, { config, json }) {
    const loaded = await load(context, config);
    if (json) {
      const { ok, file } = loaded;
      context.print(`${JSON.stringify(ok ? { ok, file } : { ok, file, problems: loaded.problems })}\n`);
    } else if (loaded.ok) {
      context.print(`The configuration is in order: ${loaded.file ?? 'no file, defaults and environment'}\n`);
    } else complainAbout(loaded.problems, context);
    return loaded.ok ? exitCodes.ok : exitCodes.refused;
  },

  async show(context, { config, json }) {
    const loaded = await load(context, config);
    if (!loaded.ok) {
      if (json) context.print(`${JSON.stringify({ ok: false, problems: loaded.problems })}\n`);
      else complainAbout(loaded.problems, context);
      return exitCodes.refused;
    }
    const shown = redactConfig(loaded.config);
    if (json) context.print(`${JSON.stringify(shown, null, 2)}\n`);
    else {
      for (const [section, values] of Object.entries(shown)) {
        for (const [key, value] of Object.entries(values)) {
          context.print(`${section}.${key} = ${plainLine(JSON.stringify(value ?? null))}\n`);
        }
      }
    }
    return exitCodes.ok;
  },

  async schema(context) {
    context.print(`${JSON.stringify(configSchema(), null, 2)}\n`);
    return exitCodes.ok;
  },
};

export const configCommand: Command = {
  name: 'config',
  summary: 'Check, show or explain the configuration',
  usage: `config check|show|schema [--config FILE] [--json]

  check    Say everything that is wrong with the file and the environment
  show     Print what is in force, defaults included, secrets redacted
  schema   Print the JSON Schema of the file, with every key explained

Without --config the file is $AUTOWEAVE_CONFIG; without that there is none.`,
  async run(context) {
    const { values, positionals } = parseArgs({
      args: [...context.args],
      options: { config: { type: 'string' }, json: { type: 'boolean' } },
      allowPositionals: true,
    });
    const [name = '', ...rest] = positionals;
    const action = Object.hasOwn(actions, name) ? actions[name] : undefined;
    if (action === undefined || rest.length > 0) {
      const near = action === undefined ? nearestName(name, Object.keys(actions)) : null;
      context.complain(
        `autoweave config: ${name === '' ? '' : action === undefined ? `there is no "${name}". ` : `"${rest[0]}" is one argument too many. `}${
          near === null ? 'Say check, show or schema.' : `Did you mean ${near}?`
        }\n`,
      );
      return exitCodes.usage;
    }
    return action(context, {
      ...(values.config === undefined ? {} : { config: values.config }),
      json: values.json ?? false,
    });
  },
};

async function load({ environment }: CommandContext, named: string | undefined): Promise<Loaded> {
  const file = named ?? environment.AUTOWEAVE_CONFIG ?? null;
  try {
    return {
      ...loadConfig({ file, text: file === null ? null : await readConfigFile(file), environment }),
      file,
    };
  } catch (cause) {
    if (!(cause instanceof AppError)) throw cause;
    const problem: ConfigProblem = {
      code: cause.code as ConfigProblem['code'],
      path: '',
      message: cause.message,
      remedy: 'Name the right file with --config.',
    };
    return { ok: false, problems: [problem], file };
  }
}
