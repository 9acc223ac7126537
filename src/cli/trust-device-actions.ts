// `autoweave trust install|current`: the trust document of a running appliance, through its control socket.
import { parseArgs } from 'node:util';
import { readTrustFile } from '../trust/read-trust-file.ts';
import { cliError, orThrow } from './cli-error.ts';
import { exitCodes } from './command.ts';
import type { Action } from './command-group.ts';
import { oneFile } from './command-options.ts';
import { readText } from './input-files.ts';
import { controlRequest, defaultSocket } from './plugin/control-request.ts';
import { trustText } from './trust-text.ts';

const socket = { type: 'string', default: defaultSocket } as const;

const install: Action = {
  usage: 'install FILE [--first] [--socket FILE]',
  about:
    'Hand the appliance over to the next version, or give it its first one; what is no longer trusted stops',
  async run({ args, print }) {
    const options = { socket, first: { type: 'boolean', default: false } } as const;
    const { positionals, values } = parseArgs({ args: [...args], options, allowPositionals: true });
    const answer = await controlRequest({
      ...{ socket: values.socket, method: 'POST', path: '/api/v1/trust' },
      body: Buffer.from(
        JSON.stringify({ text: await readText(oneFile(positionals, 'FILE')), first: values.first }),
      ),
      headers: { 'Content-Type': 'application/json' },
    });
    const { before, isNew, version } = answer as {
      readonly version: number;
      readonly before: number | null;
      readonly isNew: boolean;
    };
    const how = isNew ? (before === null ? 'the first' : `after ${before}`) : 'it was already';
    print(`version ${version} is in force (${how})\n`);
    return exitCodes.ok;
  },
};

const current: Action = {
  usage: 'current [--json] [--socket FILE]',
  about: 'Print the document that is in force on the appliance',
  async run({ args, print }) {
    const options = { socket, json: { type: 'boolean', default: false } } as const;
    const { values } = parseArgs({ args: [...args], options });
    const { text } = await controlRequest({ socket: values.socket, method: 'GET', path: '/api/v1/trust' });
    if (typeof text !== 'string') throw cliError('cli.unreadable', 'the appliance gave no trust document');
    print(values.json ? text : await trustText(orThrow(readTrustFile(text)).file));
    return exitCodes.ok;
  },
};

export const trustDeviceActions: Readonly<Record<string, Action>> = { install, current };
