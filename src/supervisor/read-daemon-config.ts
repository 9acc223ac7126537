// Command line, files and environment -> the checked, frozen configuration of the daemon, or a list of what is wrong with it.
import { parseArgs } from 'node:util';
import { type ConfigVerdict, loadConfig } from '../config/load-config.ts';
import { readConfigFile } from '../config/read-config-file.ts';
import { readSecretsFile } from '../config/read-secrets-file.ts';

/** @throws AppError when the file cannot be read; TypeError for an unknown option. */
export async function readDaemonConfig(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Promise<ConfigVerdict & { readonly warning: string | null; readonly insecurePlugins: boolean }> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      config: { type: 'string' },
      secrets: { type: 'string' },
      'insecure-plugins': { type: 'boolean', default: false },
    },
  });
  const insecurePlugins = values['insecure-plugins'];
  const file = values.config ?? environment.AUTOWEAVE_CONFIG ?? null;
  const text = file === null ? null : await readConfigFile(file);
  if (values.secrets === undefined)
    return { ...loadConfig({ file, text, environment }), warning: null, insecurePlugins };
  const sealed = await readSecretsFile(values.secrets);
  const secrets = sealed.text === null ? {} : { secrets: { file: values.secrets, text: sealed.text } };
  return { ...loadConfig({ file, text, ...secrets, environment }), warning: sealed.warning, insecurePlugins };
}
