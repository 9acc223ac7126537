// `autoweave plugin init`: a folder with a plugin that type-checks, builds and runs as it is.
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { PluginName } from '../../contracts/plugin-manifest.ts';
import { errorText } from '../../lib/error-text.ts';
import { schemaCheck } from '../../lib/schema-check.ts';
import { cliError } from '../cli-error.ts';
import { exitCodes } from '../command.ts';
import type { Action } from '../command-group.ts';
import { oneFile } from '../command-options.ts';
import { pluginTemplate } from './plugin-template.ts';

const checkName = schemaCheck(PluginName);

export const initAction: Action = {
  usage: 'init NAME',
  about: 'Make the folder NAME with a plugin that type-checks and builds as it is',
  async run({ args, print, complain }) {
    const { positionals } = parseArgs({ args: [...args], options: {}, allowPositionals: true });
    const dir = oneFile(positionals, 'NAME');
    const name = path.basename(path.resolve(dir));
    if (!checkName(name).ok)
      throw cliError(
        'cli.usage',
        `make a plugin: ${JSON.stringify(name)} is no name for one; 2 to 40 lower-case letters, digits and hyphens, a letter first`,
      );
    for (const [file, text] of pluginTemplate(name)) {
      const target = path.join(dir, file);
      try {
        await mkdir(path.dirname(target), { recursive: true });
        // Nothing of the author's is written over.
        await writeFile(target, text, { flag: 'wx' });
      } catch (cause) {
        throw cliError('cli.exists', `make a plugin: ${errorText(cause)}; choose an empty folder`, cause);
      }
      print(`${target}\n`);
    }
    complain(`Next: cd ${dir} && npm install && npm run check && autoweave plugin dev\n`);
    return exitCodes.ok;
  },
};
