// `autoweave status|devices|events|logs`: what the page shows, of the appliance here or of one in the network.
import { parseArgs } from 'node:util';
import type { LogLine } from '../contracts/appliance-control.ts';
import type { UsbPortState } from '../contracts/usb-port-state.ts';
import { AppError } from '../lib/app-error.ts';
import { parseAnswer } from './appliance/appliance-answer.ts';
import { applianceOptions, applianceUsage } from './appliance/appliance-client.ts';
import { lookAgain, withAppliance } from './appliance/look-again.ts';
import { readSse } from './appliance/read-sse.ts';
import {
  devicesText,
  eventText,
  logText,
  type ShownDevice,
  type ShownState,
  stateText,
} from './appliance/shown-text.ts';
import { cliError } from './cli-error.ts';
import { type Command, type CommandContext, exitCodes } from './command.ts';
import { lastOption } from './command-options.ts';
import { plainLine } from './plain-text.ts';

export const statusCommand: Command = {
  name: 'status',
  summary: 'How the appliance is: health, uplink, buffer, plugins',
  usage: `status [--all] [--watch] [--json] [--socket FILE | --url URL --token-file FILE]\n\n  --all              every part, also what is in order, and what the buffer takes\n${applianceUsage}`,
  run: (context) => {
    const all = context.args.includes('--all');
    return lookAgain(
      { ...context, args: context.args.filter((each) => each !== '--all') },
      {
        path: '/api/v1/state',
        field: 'health',
        toText: (answer) => stateText(answer as unknown as ShownState, { all }),
      },
    );
  },
};

export const devicesCommand: Command = {
  name: 'devices',
  summary: 'The USB devices that are plugged in, and what the policy says of each',
  usage: `devices [--watch] [--json] [--socket FILE | --url URL --token-file FILE]\n\n${applianceUsage}`,
  run: (context) =>
    lookAgain(context, {
      path: '/api/v1/devices',
      field: 'devices',
      // An appliance of an earlier version tells of no ports.
      toText: ({ devices, ports }) =>
        devicesText(devices as readonly ShownDevice[], (ports ?? []) as readonly UsbPortState[]),
    }),
};

export const eventsCommand: Command = {
  name: 'events',
  summary: 'The newest events, or all that follow as they happen',
  usage: `events [--watch] [--last N] [--before ID] [--type TYPE] [--json] [--socket FILE | --url URL --token-file FILE]

  --last N           begin with the newest N (20), at most 200
  --before ID        the stored ones before this one; not with --watch
  --type TYPE        those alone whose type begins so: usb., plugin.failed
${applianceUsage}`,
  run: async (context) => {
    const { taken, rest } = takeOptions(context, ['last', 'before', 'type']);
    const { before, last, type = '' } = taken;
    return withAppliance(rest, async (client, { json, watch }) => {
      const limit = lastOption(last);
      if (before !== undefined && !/^[1-9]\d{0,15}-[1-9]\d{0,15}$/.test(before))
        throw cliError('cli.usage', `--before takes the id of an event, such as 1-1841, not ${before}`);
      if (watch && before !== undefined)
        throw cliError('cli.usage', '--before reads what is stored, --watch what follows: say one of them');
      const print = (event: Readonly<Record<string, unknown>>) => {
        // A notice tells what the stream leaves out: under every filter.
        const isNotice = event.specversion === undefined && typeof event.message === 'string';
        if (!isNotice && !String(event.type).startsWith(type)) return;
        if (json) context.print(`${JSON.stringify(event)}\n`);
        else if (isNotice)
          context.complain(`${plainLine(`${String(event.code)}: ${String(event.message)}`)}\n`);
        else context.print(eventText(event));
      };
      if (!watch) {
        const asked = new URLSearchParams({
          limit: String(limit),
          ...(before === undefined ? {} : { before }),
          ...(type === '' ? {} : { type }),
        });
        const { events } = await client.get(`/api/v1/events/history?${asked}`, 'events');
        for (const event of (events as readonly Readonly<Record<string, unknown>>[]).toReversed())
          print(event);
        return exitCodes.ok;
      }
      const stream = await client.open(`/api/v1/events?unnamed&last=${limit}`, {
        type: 'text/event-stream',
        signal: context.output.ended,
      });
      try {
        for await (const data of readSse(stream)) print(parseAnswer(data));
      } catch (cause) {
        // An appliance that is started again does not end its streams first.
        if (!(cause instanceof AppError) || cause.code !== 'cli.broken-off') throw cause;
      }
      if (context.output.ended.aborted) return exitCodes.ok;
      context.complain('The appliance has ended the stream.\n');
      return exitCodes.refused;
    });
  },
};

const levels = ['debug', 'info', 'warn', 'error'];

export const logsCommand: Command = {
  name: 'logs',
  summary: 'The newest lines of its log',
  usage: `logs [--watch] [--level debug|info|warn|error] [--json] [--socket FILE | --url URL --token-file FILE]\n\n${applianceUsage}`,
  run: (context) => {
    const { taken, rest } = takeOptions(context, ['level']);
    const { level = 'info' } = taken;
    if (!levels.includes(level)) {
      context.complain(`cli.usage: --level takes ${levels.join(', ')}, not ${level}\n`);
      return Promise.resolve(exitCodes.usage);
    }
    const told = new Set<string>();
    return lookAgain(
      { ...rest, output: { ...rest.output, isTerminal: false } },
      {
        path: `/api/v1/logs?level=${encodeURIComponent(level)}&limit=500`,
        field: 'lines',
        toText({ lines }) {
          const texts = (lines as readonly LogLine[]).map(logText);
          const news = texts.filter((text) => !told.has(text));
          told.clear();
          for (const text of texts) told.add(text);
          return news.join('');
        },
      },
    );
  },
};

/** Options of one command alone, taken out of what all of them share. */
function takeOptions<Name extends string>(context: CommandContext, names: readonly Name[]) {
  const { tokens, values } = parseArgs({
    args: [...context.args],
    options: {
      ...applianceOptions,
      ...Object.fromEntries(names.map((name) => [name, { type: 'string' } as const])),
    },
    tokens: true,
  });
  const own = tokens.filter((each) => each.kind === 'option' && names.some((name) => name === each.name));
  const gone = own.flatMap((each) =>
    each.kind === 'option' && each.inlineValue === false ? [each.index, each.index + 1] : [each.index],
  );
  const args = context.args.filter((_, index) => !gone.includes(index));
  const given = values as Readonly<Record<string, unknown>>;
  const taken = Object.fromEntries(
    names.flatMap((name) => (typeof given[name] === 'string' ? [[name, given[name]]] : [])),
  ) as Readonly<Partial<Record<Name, string>>>;
  return { taken, rest: { ...context, args } };
}
