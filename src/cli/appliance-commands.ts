// `autoweave status|devices|events|logs`: what the page shows, of the appliance here or of one in the network.
import { parseArgs } from 'node:util';
import type { LogLine } from '../contracts/appliance-control.ts';
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
import { type Command, type CommandContext, exitCodes } from './command.ts';
import { numberOption } from './command-options.ts';

export const statusCommand: Command = {
  name: 'status',
  summary: 'How the appliance is: health, uplink, buffer, plugins',
  usage: `status [--watch] [--json] [--socket FILE | --url URL --token-file FILE]\n\n${applianceUsage}`,
  run: (context) =>
    lookAgain(context, {
      path: '/api/v1/state',
      toText: (answer) => stateText(answer as unknown as ShownState),
    }),
};

export const devicesCommand: Command = {
  name: 'devices',
  summary: 'The USB devices that are plugged in, and what the policy says of each',
  usage: `devices [--watch] [--json] [--socket FILE | --url URL --token-file FILE]\n\n${applianceUsage}`,
  run: (context) =>
    lookAgain(context, {
      path: '/api/v1/devices',
      toText: ({ devices }) => devicesText(devices as readonly ShownDevice[]),
    }),
};

export const eventsCommand: Command = {
  name: 'events',
  summary: 'The newest events, or all that follow as they happen',
  usage: `events [--watch] [--last N] [--json] [--socket FILE | --url URL --token-file FILE]\n\n  --last N           begin with the newest N (20), at most 200\n${applianceUsage}`,
  run: (context) => {
    const { last, rest } = takeOption(context, 'last');
    const limit = numberOption('--last', last) ?? 20;
    return withAppliance(rest, async (client, { json, watch }) => {
      const print = (event: Readonly<Record<string, unknown>>) =>
        context.print(json ? `${JSON.stringify(event)}\n` : eventText(event));
      if (!watch) {
        const { events } = await client.get(`/api/v1/events/history?limit=${limit}`);
        for (const event of (events as readonly Readonly<Record<string, unknown>>[]).toReversed())
          print(event);
        return exitCodes.ok;
      }
      const stream = await client.open(`/api/v1/events?unnamed&last=${limit}`, new AbortController().signal);
      for await (const data of readSse(stream)) print(JSON.parse(data) as Readonly<Record<string, unknown>>);
      context.complain('The appliance has ended the stream.\n');
      return exitCodes.refused;
    });
  },
};

export const logsCommand: Command = {
  name: 'logs',
  summary: 'The newest lines of its log',
  usage: `logs [--watch] [--level debug|info|warn|error] [--json] [--socket FILE | --url URL --token-file FILE]\n\n${applianceUsage}`,
  run: (context) => {
    const { level = 'info', rest } = takeOption(context, 'level');
    const told = new Set<string>();
    return lookAgain(
      { ...rest, isTerminal: false },
      {
        path: `/api/v1/logs?level=${encodeURIComponent(level)}&limit=500`,
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

/** An option of one command alone, taken out of what all of them share. */
function takeOption<Name extends string>(context: CommandContext, name: Name) {
  const { tokens, values } = parseArgs({
    args: [...context.args],
    options: { ...applianceOptions, [name]: { type: 'string' } },
    tokens: true,
  });
  const token = tokens.find((each) => each.kind === 'option' && each.name === name);
  const isInline = token?.kind === 'option' && token.inlineValue === true;
  const args = token === undefined ? context.args : context.args.toSpliced(token.index, isInline ? 1 : 2);
  const value = (values as Readonly<Record<string, unknown>>)[name];
  const taken = { [name]: typeof value === 'string' ? value : undefined } as Readonly<
    Record<Name, string | undefined>
  >;
  return { ...taken, rest: { ...context, args } };
}
