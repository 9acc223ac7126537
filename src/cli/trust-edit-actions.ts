// The actions of `autoweave trust` that make the next draft of a document.
import { createHash } from 'node:crypto';
import { parseArgs } from 'node:util';
import { bundleLimits } from '../bundle/bundle-limits.ts';
import { replaceFile } from '../operate/replace-file.ts';
import {
  editTrustFile,
  type TrustEdit,
  withKey,
  withoutKey,
  withRevokedContent,
  withRevokedKey,
} from '../trust/edit-trust.ts';
import { readTrustFile } from '../trust/read-trust-file.ts';
import { cliError, orThrow } from './cli-error.ts';
import { type CommandContext, exitCodes } from './command.ts';
import type { Action } from './command-group.ts';
import { instantOption, numberOption, oneFile } from './command-options.ts';
import { readBytes, readPublicKey, readText } from './input-files.ts';

const draftOptions = { out: { type: 'string' }, expires: { type: 'string' } } as const;
const yearMs = 31_536_000_000;

const add: Action = {
  usage:
    'add FILE --role ROLE --key PUB [--since DATE] [--until DATE] [--note TEXT] [--threshold N] [--out FILE]',
  about: 'Trust a key in a role, or change what is said of it; --until retires it: what is installed goes on',
  async run(context) {
    const { values, positionals } = parseArgs({
      args: [...context.args],
      options: {
        ...draftOptions,
        role: { type: 'string' },
        key: { type: 'string' },
        since: { type: 'string' },
        until: { type: 'string' },
        note: { type: 'string' },
        threshold: { type: 'string' },
      },
      allowPositionals: true,
    });
    if (values.role === undefined || values.key === undefined)
      throw cliError('cli.usage', 'add a key: --role ROLE and --key PUB are needed');
    const [validFromMs, validUntilMs] = [
      instantOption('--since', values.since),
      instantOption('--until', values.until),
    ];
    const threshold = numberOption('--threshold', values.threshold);
    const edit = withKey(values.role, await readPublicKey(values.key), {
      ...(values.note === undefined ? {} : { note: values.note }),
      ...(validFromMs === undefined ? {} : { validFromMs }),
      ...(validUntilMs === undefined ? {} : { validUntilMs }),
      ...(threshold === undefined ? {} : { threshold }),
    });
    return writeDraft(context, oneFile(positionals, 'FILE'), edit, values);
  },
};

const remove: Action = {
  usage: 'remove FILE --role ROLE --key PUB [--threshold N] [--out FILE]',
  about: 'Take a key out of a role; unlike a revoked key it may come back',
  async run(context) {
    const { values, positionals } = parseArgs({
      args: [...context.args],
      options: {
        ...draftOptions,
        role: { type: 'string' },
        key: { type: 'string' },
        threshold: { type: 'string' },
      },
      allowPositionals: true,
    });
    if (values.role === undefined || values.key === undefined)
      throw cliError('cli.usage', 'remove a key: --role ROLE and --key PUB are needed');
    const threshold = numberOption('--threshold', values.threshold);
    const edit = withoutKey(values.role, await readPublicKey(values.key), threshold);
    return writeDraft(context, oneFile(positionals, 'FILE'), edit, values);
  },
};

const revoke: Action = {
  usage: 'revoke FILE (--key PUB | --content AWP | --sha256 HEX) --reason TEXT [--out FILE]',
  about: 'Never accept again what this key signed, or this very file',
  async run(context) {
    const { values, positionals } = parseArgs({
      args: [...context.args],
      options: {
        ...draftOptions,
        key: { type: 'string' },
        content: { type: 'string' },
        sha256: { type: 'string' },
        reason: { type: 'string' },
      },
      allowPositionals: true,
    });
    const { key, content, sha256, reason } = values;
    if (reason === undefined || [key, content, sha256].filter((each) => each !== undefined).length !== 1)
      throw cliError('cli.usage', 'revoke: --reason TEXT and one of --key, --content, --sha256 are needed');
    let edit: TrustEdit;
    if (key !== undefined) edit = withRevokedKey(await readPublicKey(key), reason);
    else edit = withRevokedContent(sha256 ?? (await hashOf(content ?? '')), reason);
    return writeDraft(context, oneFile(positionals, 'FILE'), edit, values);
  },
};

const renew: Action = {
  usage: 'renew FILE [--expires DATE] [--out FILE]',
  about: 'Change nothing but the time until which it counts: a year from now if left out',
  async run(context) {
    const { values, positionals } = parseArgs({
      args: [...context.args],
      options: draftOptions,
      allowPositionals: true,
    });
    return writeDraft(context, oneFile(positionals, 'FILE'), (document) => document, values);
  },
};

export const trustEditActions: Readonly<Record<string, Action>> = { add, remove, revoke, renew };

async function writeDraft(
  { print, complain }: CommandContext,
  from: string,
  edit: TrustEdit,
  { out, expires }: { readonly out?: string | undefined; readonly expires?: string | undefined },
): Promise<number> {
  const { file } = orThrow(readTrustFile(await readText(from)), from);
  const isSigned = file.signatures.length > 0;
  if (isSigned && (out === undefined || out === from))
    throw cliError(
      'cli.usage',
      `change ${from}: version ${file.document.version} is signed, and devices compare the next with it; say --out FILE`,
    );
  const nowMs = Date.now();
  const expiresMs = instantOption('--expires', expires) ?? nowMs + yearMs;
  const draft = orThrow(editTrustFile(file, edit, { nowMs, expiresMs }), from);
  const target = out ?? from;
  await replaceFile(target, draft.text, { mode: 0o644 });
  print(`${target}\n`);
  complain(`A draft of version ${draft.file.document.version}: \`autoweave trust sign\` comes next.\n`);
  return exitCodes.ok;
}

async function hashOf(file: string): Promise<string> {
  return createHash('sha256')
    .update(await readBytes(file, bundleLimits.fileBytes))
    .digest('hex');
}
