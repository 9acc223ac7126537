// `autoweave trust install|current`: the trust document of a running appliance.
import { parseArgs } from 'node:util';
import { readTrustFile } from '../trust/read-trust-file.ts';
import { actOptions, applianceClient, whereOptions } from './appliance/appliance-client.ts';
import { cliError, orThrow } from './cli-error.ts';
import { exitCodes } from './command.ts';
import type { Action } from './command-group.ts';
import { oneFile } from './command-options.ts';
import { readText } from './input-files.ts';
import { plainLine } from './plain-text.ts';
import { trustText } from './trust-text.ts';

const install: Action = {
  usage: `install FILE [--first] ${whereOptions}`,
  about:
    'Hand the appliance over to the next version, or give it its first one; what is no longer trusted stops',
  async run({ args, environment, print }) {
    const options = { ...actOptions, first: { type: 'boolean', default: false } } as const;
    const { positionals, values } = parseArgs({ args: [...args], options, allowPositionals: true });
    const body = { text: await readText(oneFile(positionals, 'FILE')), first: values.first };
    const answer = await (await applianceClient(values, environment)).send('POST', '/api/v1/trust', body);
    const { before, isNew, version } = answer as unknown as {
      readonly version: number;
      readonly before: number | null;
      readonly isNew: boolean;
    };
    if (values.json) {
      print(`${JSON.stringify(answer)}\n`);
      return exitCodes.ok;
    }
    const how = isNew ? (before === null ? 'the first' : `after ${before}`) : 'it was already';
    print(`${plainLine(`version ${version} is in force (${how})`)}\n`);
    return exitCodes.ok;
  },
};

const current: Action = {
  usage: `current ${whereOptions}`,
  about: 'Print the document that is in force on the appliance',
  async run({ args, environment, print }) {
    const { values } = parseArgs({ args: [...args], options: actOptions });
    const { text } = await (await applianceClient(values, environment)).get('/api/v1/trust', 'text');
    if (typeof text !== 'string') throw cliError('cli.unreadable', 'the appliance gave no trust document');
    print(values.json ? text : await trustText(orThrow(readTrustFile(text)).file));
    return exitCodes.ok;
  },
};

export const trustDeviceActions: Readonly<Record<string, Action>> = { install, current };
