// `autoweave trust …`: who is trusted for what. Drafts are edited, signed by root keys one after the other, and verified as a device will.

import { access } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { replaceFile } from '../operate/replace-file.ts';
import { acceptFirstTrust, acceptNextTrust } from '../trust/accept-trust.ts';
import { newTrustFile } from '../trust/edit-trust.ts';
import { publicKeyLine } from '../trust/public-key.ts';
import { readTrustFile } from '../trust/read-trust-file.ts';
import { signTrustFile } from '../trust/sign-trust.ts';
import { cliError, orThrow } from './cli-error.ts';
import { exitCodes } from './command.ts';
import { type Action, commandGroup } from './command-group.ts';
import { instantOption, numberOption, oneFile } from './command-options.ts';
import { readPublicKey, readSecretKey, readText } from './input-files.ts';
import { trustDeviceActions } from './trust-device-actions.ts';
import { trustEditActions } from './trust-edit-actions.ts';
import { trustText } from './trust-text.ts';

const create: Action = {
  usage: 'new FILE --root PUB… [--threshold N] [--expires DATE]',
  about: 'Make version 1, a draft that names the root keys; --expires is in a year if left out',
  async run({ args, print, complain }) {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: {
        root: { type: 'string', multiple: true },
        threshold: { type: 'string' },
        expires: { type: 'string' },
      },
      allowPositionals: true,
    });
    const file = oneFile(positionals, 'FILE');
    if (values.root === undefined) throw cliError('cli.usage', 'make a trust document: --root PUB is needed');
    const isThere = await access(file).then(
      () => true,
      () => false,
    );
    if (isThere) throw cliError('cli.exists', `make a trust document: ${file} is there already`);
    const root = await Promise.all(values.root.map(readPublicKey));
    const nowMs = Date.now();
    const made = newTrustFile(root, {
      threshold: numberOption('--threshold', values.threshold) ?? 1,
      nowMs,
      expiresMs: instantOption('--expires', values.expires) ?? nowMs + 31_536_000_000,
    });
    await replaceFile(file, orThrow(made).text, { mode: 0o644 });
    print(`${file}\n`);
    complain(`A draft: nothing is trusted before \`autoweave trust sign ${file} --key ROOT.key\`.\n`);
    return exitCodes.ok;
  },
};

const sign: Action = {
  usage: 'sign FILE --key KEY [--password-file FILE]',
  about: 'Add the signature of a root key (of this version, or of the one before for the hand-over)',
  async run(context) {
    const { values, positionals } = parseArgs({
      args: [...context.args],
      options: { key: { type: 'string' }, 'password-file': { type: 'string' } },
      allowPositionals: true,
    });
    const name = oneFile(positionals, 'FILE');
    if (values.key === undefined) throw cliError('cli.usage', 'sign a trust document: --key KEY is needed');
    const { file } = orThrow(readTrustFile(await readText(name)), name);
    const key = await readSecretKey(values.key, context, values['password-file']);
    await replaceFile(name, await signTrustFile(file, key, Date.now()), { mode: 0o644 });
    context.print(`${name}\n`);
    const { roles, version } = file.document;
    context.complain(`${path.basename(name)}, version ${version}: signed by ${key.public.id}\n`);
    const own = publicKeyLine(key.public);
    if (roles.root?.keys.some((root) => root.key === own) !== true)
      context.complain(
        `This is no root key of version ${version}: it counts only if it is one of the version before.\n`,
      );
    return exitCodes.ok;
  },
};

const show: Action = {
  usage: 'show FILE [--json]',
  about: 'Print what the document says, whether or not its signatures hold',
  async run({ args, print }) {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: { json: { type: 'boolean', default: false } },
      allowPositionals: true,
    });
    const name = oneFile(positionals, 'FILE');
    const { file } = orThrow(readTrustFile(await readText(name)), name);
    print(values.json ? file.signedText : await trustText(file));
    return exitCodes.ok;
  },
};

const verify: Action = {
  usage: 'verify FILE [--after FILE]',
  about: 'Say whether a device would take it: as its first document, or after the one named by --after',
  async run({ args, print }) {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: { after: { type: 'string' } },
      allowPositionals: true,
    });
    const name = oneFile(positionals, 'FILE');
    const text = await readText(name);
    let verdict = await acceptFirstTrust(text);
    if (values.after !== undefined) {
      const current = orThrow(await acceptFirstTrust(await readText(values.after)), values.after).document;
      verdict = await acceptNextTrust(current, text);
    }
    const { version, expires } = orThrow(verdict, name).document;
    if (Date.parse(expires) <= Date.now())
      throw cliError(
        'cli.unreadable',
        `${name}: version ${version} expired ${expires}: a device would accept nothing by it`,
      );
    print(`${name}: version ${version} counts until ${expires}\n`);
    return exitCodes.ok;
  },
};

export const trustCommand = commandGroup({
  name: 'trust',
  summary: 'Say whose signatures on plugins, images and updates are trusted',
  notes: `FILE is one JSON file with the document and its signatures. Roles: root signs the document itself; publisher plugins;
image disk images; update over-the-air updates. PUB is a file or the key itself (RW…). DATE is a day or an instant (2027-01-31).
A signed document is not changed: add, remove, revoke and renew write the next version to --out, which the root keys of the
version before must sign, and its own. Devices take N+1 only after N, and never give a revocation up.`,
  actions: { new: create, ...trustEditActions, sign, show, verify, ...trustDeviceActions },
});
