// `autoweave plugin install|list|…`: what is done with plugins on a running appliance.
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import type { PluginLogLine, PluginStatus } from '../../contracts/plugin-status.ts';
import { errorText } from '../../lib/error-text.ts';
import { actOptions, applianceClient, whereOptions } from '../appliance/appliance-client.ts';
import { cliError } from '../cli-error.ts';
import type { CommandContext } from '../command.ts';
import type { Action } from '../command-group.ts';
import { oneFile } from '../command-options.ts';
import { confirmAct } from '../confirm-act.ts';
import { readBytes } from '../input-files.ts';
import { plainLine, plainLines } from '../plain-text.ts';
import { pluginTable } from './plugin-table.ts';
import { parseSourceMap, toSourcePlaces } from './source-map.ts';

interface Question {
  readonly method: 'POST' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
}

const SOURCE_MAP_MAX_BYTES = 67_108_864;

type Acted = { readonly detail: string; readonly plugin: PluginStatus | null };

export const manageActions: Readonly<Record<string, Action>> = {
  install: {
    usage: `install FILE.awp ${whereOptions}`,
    about:
      'Verify, store and start it; FILE.awp.minisig lies beside it. An older version is replaced and kept.',
    run: (context) =>
      act(context, 'FILE.awp', async (file) => {
        const bundle = (await bytesOf(file)).toString('base64');
        const signature = (await bytesOf(`${file}.minisig`)).toString('utf8');
        return { method: 'POST', path: '/api/v1/plugins', body: { bundle, signature } };
      }),
  },
  list: {
    usage: `list ${whereOptions}`,
    about: 'The installed plugins: state, version, memory, and why they are as they are.',
    async run(context) {
      const { values } = parseArgs({ args: [...context.args], options: actOptions });
      const answer = await (await applianceClient(values, context.environment)).get(
        '/api/v1/plugins',
        'plugins',
      );
      const { plugins } = answer as unknown as { readonly plugins: readonly PluginStatus[] };
      context.print(values.json ? `${JSON.stringify(plugins, null, 2)}\n` : pluginTable(plugins));
      return 0;
    },
  },
  enable: verb('enable', 'Start it now and at every start of the appliance; also after it was blocked.'),
  disable: verb('disable', 'Stop it, and do not start it again.'),
  restart: verb('restart', 'Stop it and start it.'),
  rollback: verb('rollback', 'Go back to the version before; the two change places.'),
  remove: {
    usage: `remove NAME [--yes] ${whereOptions}`,
    about: 'Stop it and delete it, its earlier version, its stored values and its place in the stream.',
    run: (context) =>
      act(context, 'NAME', async (name, { yes }) => {
        const consequence = `${name}, its earlier version and the values that it stored are lost for good.`;
        if (!(await confirmAct(context, { yes, consequence }))) return null;
        return { method: 'DELETE', path: `/api/v1/plugins/${encodeURIComponent(name)}` };
      }),
  },
  logs: {
    usage: `logs NAME [--map FILE.awp.map] ${whereOptions}`,
    about:
      'Its newest 500 lines since the start of the appliance; with the map of its build, places in them are those of its source.',
    async run(context) {
      const options = { ...actOptions, map: { type: 'string' } } as const;
      const { positionals, values } = parseArgs({
        ...{ args: [...context.args], options, allowPositionals: true },
      });
      const name = oneFile(positionals, 'NAME');
      const map = values.map === undefined ? null : await readSourceMap(values.map);
      const path = `/api/v1/plugins/${encodeURIComponent(name)}`;
      const client = await applianceClient(values, context.environment);
      const answer = (await client.get(`${path}/logs`, 'lines')) as unknown as {
        readonly lines: readonly PluginLogLine[];
      };
      const toSource = map === null ? (text: string) => text : toSourcePlaces(map);
      const lines = answer.lines.map((line) => ({ ...line, text: toSource(line.text) }));
      if (map !== null) {
        const { plugin } = (await client.get(path, 'plugin')) as unknown as { readonly plugin: PluginStatus };
        const made = `${map.x_plugin.name} ${map.x_plugin.version}`;
        if (made !== `${name} ${plugin.version}`)
          context.complain(
            `warning: the map is that of ${plainLine(made)}; installed is ${plainLine(`${name} ${plugin.version}`)}, whose places it gets wrong\n`,
          );
      }
      if (values.json) context.print(`${JSON.stringify(lines, null, 2)}\n`);
      else
        for (const { from, level, text, time } of lines)
          context.print(`${plainLine(`${time} ${level} ${from}`)}: ${plainLines(text, '\n    ')}\n`);
      return 0;
    },
  },
};

function verb(name: 'enable' | 'disable' | 'restart' | 'rollback', about: string): Action {
  return {
    usage: `${name} NAME ${whereOptions}`,
    about,
    run: (context) =>
      act(context, 'NAME', async (plugin) => ({
        method: 'POST',
        path: `/api/v1/plugins/${encodeURIComponent(plugin)}/${name}`,
      })),
  };
}

async function act(
  context: CommandContext,
  what: string,
  question: (argument: string, given: { readonly yes: boolean }) => Promise<Question | null>,
): Promise<number> {
  const options = { ...actOptions, yes: { type: 'boolean', default: false } } as const;
  const { positionals, values } = parseArgs({ args: [...context.args], options, allowPositionals: true });
  const asked = await question(oneFile(positionals, what), values);
  if (asked === null) return 1;
  const { body, method, path } = asked;
  const answer = await (await applianceClient(values, context.environment)).send(method, path, body);
  const { detail, plugin } = answer as unknown as Acted;
  if (values.json) context.print(`${JSON.stringify({ detail, plugin }, null, 2)}\n`);
  else
    context.print(`${plainLine(detail)}${plugin === null ? '' : `\n${pluginTable([plugin]).trimEnd()}`}\n`);
  for (const layer of plugin?.isolation.missing ?? []) context.complain(`INSECURE: ${plainLine(layer)}\n`);
  // What was stored and does not run is no success for a script.
  const failed = plugin !== null && ['failed', 'blocked', 'rejected'].includes(plugin.state);
  return failed ? 1 : 0;
}

async function readSourceMap(file: string) {
  return parseSourceMap((await readBytes(file, SOURCE_MAP_MAX_BYTES)).toString(), file);
}

async function bytesOf(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    const remedy = file.endsWith('.minisig') ? '; `autoweave plugin sign` makes it' : '';
    throw cliError('cli.unreadable', `read ${file}: ${errorText(cause)}${remedy}`, cause);
  }
}
