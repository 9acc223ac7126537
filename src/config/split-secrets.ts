// A provisioning file -> the same file without its secrets, and the secrets as a layer of their own; or everything wrong with it.
import type { Config } from '../contracts/config.ts';
import type { ConfigProblem } from './config-problem.ts';
import { loadConfig } from './load-config.ts';
import { isNamedList, itemsOf, partItems } from './named-list.ts';
import { parseConfigText } from './parse-config-text.ts';
import { keysOf } from './schema-node.ts';

/** section -> key -> value, in the form of a configuration file. */
export type Secrets = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

export type SplitVerdict =
  | {
      readonly ok: true;
      /** As the file alone says it, without secrets. */
      readonly config: Config;
      /** The very same text when there was no secret in it. */
      readonly publicText: string;
      readonly secrets: Secrets;
    }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] };

/**
 * The machine's own wiring: programs to run, where files and sockets are. Whoever can put a stick or a card into a reader
 * may name a broker; he may not name a program that the runtime starts.
 */
export const machineFields: readonly string[] = [
  'appliance.stateDir',
  'appliance.runDir',
  'appliance.bootNotesFile',
  'appliance.watchdogDevice',
  'usb.sysfsRoot',
  'usb.spoolFile',
  'usb.monitorCommand',
  'usb.kernelLog',
  'usb.simulated',
  'buffer.redisSocket',
  'buffer.username',
  'buffer.password',
];

export function splitSecrets({ file, text }: { readonly file: string; readonly text: string }): SplitVerdict {
  const verdict = loadConfig({ file, text, environment: {} });
  const parsed = parseConfigText(text, file);
  const value = (parsed.ok ? parsed.value : {}) as Record<string, Record<string, unknown>>;
  const problems = [...(verdict.ok ? [] : verdict.problems), ...machineProblems(value, file)];
  if (!verdict.ok || problems.length > 0) return { ok: false, problems };

  const secrets: Record<string, Record<string, unknown>> = {};
  for (const [section, content] of Object.entries(value)) {
    for (const [key, item] of Object.entries(content)) {
      const node = keysOf(section)[key] ?? {};
      if (isNamedList(node)) {
        const parted = partItems(itemsOf(item), node);
        if (parted.secrets.length === 0) continue;
        secrets[section] = { ...secrets[section], [key]: parted.secrets };
        content[key] = parted.bare;
        continue;
      }
      const isSecret = node.secret === true;
      const bare = typeof item === 'string' ? withoutUser(item) : item;
      if (!isSecret && bare === item) continue;
      secrets[section] = { ...secrets[section], [key]: item };
      if (isSecret) delete content[key];
      else content[key] = bare;
    }
  }
  const publicText = Object.keys(secrets).length === 0 ? text : `${JSON.stringify(value, null, 2)}\n`;
  const bare = loadConfig({ file, text: publicText, environment: {} });
  return bare.ok ? { ok: true, config: bare.config, publicText, secrets } : bare;
}

function machineProblems(value: Record<string, Record<string, unknown>>, file: string): ConfigProblem[] {
  return machineFields
    .filter((field) => {
      const [section = '', key = ''] = field.split('.');
      const content = Object.hasOwn(value, section) ? value[section] : undefined;
      return typeof content === 'object' && content !== null && Object.hasOwn(content, key);
    })
    .map((field) => ({
      code: 'config.not-allowed',
      path: field,
      message: `${field} in ${file} belongs to the machine, and a provisioning file may not set it`,
      remedy: 'Remove it; on an ordinary host it goes into /etc/autoweave/autoweave.json.',
    }));
}

/** The whole address is sealed, and the file keeps it without account and password. */
function withoutUser(text: string): string {
  return text.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/?#]*@/i, '$1');
}
