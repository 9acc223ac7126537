// `autoweave plugin sign`: any file and a key -> FILE.minisig, as `minisign -S` makes it. A bundle that would not open is refused.
import path from 'node:path';
import { parseArgs } from 'node:util';
import { bundleLimits } from '../../bundle/bundle-limits.ts';
import { verifyBundle } from '../../bundle/verify-bundle.ts';
import { replaceFile } from '../../operate/replace-file.ts';
import { signContent, trustedCommentFor } from '../../trust/sign-content.ts';
import { signersOf } from '../../trust/signers.ts';
import { verifySigned } from '../../trust/verify-signed.ts';
import { cliError, orThrow } from '../cli-error.ts';
import { exitCodes } from '../command.ts';
import type { Action } from '../command-group.ts';
import { oneFile } from '../command-options.ts';
import { readBytes, readSecretKey, readText } from '../input-files.ts';

const BUNDLE_SUFFIX = '.awp';

export const signAction: Action = {
  usage: 'sign FILE --key KEY [--password-file FILE] [--comment TEXT] [--add]',
  about: 'Write FILE.minisig; --add keeps the signatures of other keys that are there',
  async run(context) {
    const { values, positionals } = parseArgs({
      args: [...context.args],
      options: {
        key: { type: 'string' },
        'password-file': { type: 'string' },
        comment: { type: 'string' },
        add: { type: 'boolean', default: false },
      },
      allowPositionals: true,
    });
    const file = oneFile(positionals, 'FILE');
    if (values.key === undefined) throw cliError('cli.usage', 'sign: --key KEY is needed');
    const content = await readBytes(file, bundleLimits.fileBytes);
    const key = await readSecretKey(values.key, context, values['password-file']);
    const nowMs = Date.now();
    const comment = values.comment ?? trustedCommentFor(path.basename(file), nowMs);
    const own = await signContent(content, key, comment);
    if (file.endsWith(BUNDLE_SUFFIX))
      orThrow(await verifyBundle(content, own, signersOf([key.public]), nowMs), `sign ${file}`);
    const signature = `${file}.minisig`;
    const others = values.add ? await readText(signature) : '';
    // Twice by one key would be no second signature.
    const isOwn = values.add && (await verifySigned(content, others, signersOf([key.public]), nowMs)).ok;
    if (isOwn)
      throw cliError('cli.exists', `sign ${file}: ${signature} has a signature by ${key.public.id} already`);
    await replaceFile(signature, others + own, { mode: 0o644 });
    context.print(`${signature}\n`);
    context.complain(`signed by ${key.public.id}\n`);
    return exitCodes.ok;
  },
};
