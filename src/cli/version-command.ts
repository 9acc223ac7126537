import { parseArgs } from 'node:util';
import { productVersion } from '../lib/product-version.ts';
import { type Command, exitCodes } from './command.ts';

export const versionCommand: Command = {
  name: 'version',
  summary: 'Print the version',
  usage: 'version [--json]',
  async run({ args, print }) {
    const { values } = parseArgs({ args: [...args], options: { json: { type: 'boolean' } } });
    const facts = { version: productVersion, node: process.versions.node, arch: process.arch };
    print(values.json ? `${JSON.stringify(facts)}\n` : `autoweave ${facts.version} (Node ${facts.node})\n`);
    return exitCodes.ok;
  },
};
