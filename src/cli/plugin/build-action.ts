// `autoweave plugin build`: an author's folder -> `<name>-<version>.awp`.
import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { replaceFile } from '../../operate/replace-file.ts';
import { cliError } from '../cli-error.ts';
import { exitCodes } from '../command.ts';
import type { Action } from '../command-group.ts';
import { buildPlugin } from './build-plugin.ts';
import { doubtfulSubscriptions } from './doubtful-subscriptions.ts';

export const buildAction: Action = {
  usage: 'build [DIR] [--out FOLDER]',
  about:
    'Bundle the plugin in DIR (default: here) into <name>-<version>.awp; the same source gives the same bytes',
  async run({ args, print, complain }) {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: { out: { type: 'string', default: '.' } },
      allowPositionals: true,
    });
    if (positionals.length > 1) throw cliError('cli.usage', 'build a plugin: one DIR is enough');
    const { bytes, fileName, manifest, sourceMap } = await buildPlugin(positionals[0] ?? '.');
    const file = path.join(values.out, fileName);
    await mkdir(values.out, { recursive: true });
    await replaceFile(file, bytes, { mode: 0o644 });
    await replaceFile(`${file}.map`, sourceMap, { mode: 0o644 });
    print(`${file}\n`);
    for (const doubt of doubtfulSubscriptions(manifest.subscriptions)) complain(`warning: ${doubt}\n`);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    complain(`${manifest.members.length} members, ${bytes.length} bytes, SHA-256 ${sha256}\n`);
    complain(
      `${file}.map stays with you: \`plugin logs ${manifest.name} --map FILE\` shows your own lines by it\n`,
    );
    return exitCodes.ok;
  },
};
