// `autoweave key new|show`: signing keys in the files that `minisign -G` writes too.
import { randomBytes } from 'node:crypto';
import { access, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { replaceFile } from '../operate/replace-file.ts';
import { publicKeyFile, publicKeyLine } from '../trust/public-key.ts';
import { isSecretKeyFile, newSecretKey, secretKeyFile } from '../trust/secret-key.ts';
import { cliError } from './cli-error.ts';
import { exitCodes } from './command.ts';
import { type Action, commandGroup } from './command-group.ts';
import { readPublicKey, readSecretKey, readText } from './input-files.ts';
import { newPassword } from './new-password.ts';

const newKey: Action = {
  usage: 'new --out NAME [--no-password | --password-file FILE]',
  about: 'Make NAME.key (secret, mode 0600) and NAME.pub; asks for a password',
  async run(context) {
    const { values } = parseArgs({
      args: [...context.args],
      options: {
        out: { type: 'string' },
        'no-password': { type: 'boolean', default: false },
        'password-file': { type: 'string' },
      },
    });
    if (values.out === undefined) throw cliError('cli.usage', 'make a key: --out NAME is needed');
    const [secretFile, publicFile] = [`${values.out}.key`, `${values.out}.pub`];
    for (const file of [secretFile, publicFile])
      if (await exists(file))
        throw cliError(
          'cli.exists',
          `make a key: ${file} is there already; choose another name, keys are never written over`,
        );
    const password = values['no-password']
      ? null
      : await newPassword(context, {
          file: values['password-file'],
          question: 'Password for the new key: ',
          instead: '--no-password',
        });
    const key = await newSecretKey({ seed: randomBytes(32), id: randomBytes(8) });
    const lock = password === null ? null : { password, salt: randomBytes(32) };
    const secret = await secretKeyFile(key, lock);
    await mkdir(path.dirname(secretFile), { recursive: true });
    await replaceFile(secretFile, secret, { mode: 0o600 });
    await replaceFile(publicFile, publicKeyFile(key.public), { mode: 0o644 });
    context.print(`${secretFile}\n${publicFile}\n`);
    context.complain(
      `Key ${key.public.id}. Keep ${secretFile} to yourself${password === null ? ': whoever reads it can sign as you' : ''}.\n`,
    );
    return exitCodes.ok;
  },
};

const showKey: Action = {
  usage: 'show FILE [--password-file FILE] [--json]',
  about: 'Print the id and the public half of a key file, or of a key given as RW…',
  async run(context) {
    const { values, positionals } = parseArgs({
      args: [...context.args],
      options: { json: { type: 'boolean', default: false }, 'password-file': { type: 'string' } },
      allowPositionals: true,
    });
    const [file] = positionals;
    if (file === undefined || positionals.length > 1)
      throw cliError('cli.usage', 'show a key: one FILE is needed');
    const isSecret = await isSecretFile(file);
    const key = isSecret
      ? (await readSecretKey(file, context, values['password-file'])).public
      : await readPublicKey(file);
    const shown = { id: key.id, publicKey: publicKeyLine(key), kind: isSecret ? 'secret' : 'public' };
    context.print(
      values.json
        ? `${JSON.stringify(shown)}\n`
        : `id          ${shown.id}\npublic key  ${shown.publicKey}\n`,
    );
    return exitCodes.ok;
  },
};

export const keyCommand = commandGroup({
  name: 'key',
  summary: 'Make and show signing keys',
  notes: `The files are minisign's: \`minisign -S -s NAME.key\` signs with them, \`minisign -V -p NAME.pub\` verifies.
--password-file names a file whose first line is the password.`,
  actions: { new: newKey, show: showKey },
});

async function isSecretFile(file: string): Promise<boolean> {
  return !file.startsWith('RW') && isSecretKeyFile(await readText(file));
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
