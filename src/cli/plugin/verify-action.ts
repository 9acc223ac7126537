// `autoweave plugin verify`: everything that an appliance checks before it installs, but its own policy.
import { parseArgs } from 'node:util';
import { bundleLimits } from '../../bundle/bundle-limits.ts';
import { verifyBundle } from '../../bundle/verify-bundle.ts';
import { acceptFirstTrust } from '../../trust/accept-trust.ts';
import { type Signers, signersOf } from '../../trust/signers.ts';
import { signersFor } from '../../trust/signers-for.ts';
import { cliError, orThrow } from '../cli-error.ts';
import { exitCodes } from '../command.ts';
import type { Action } from '../command-group.ts';
import { oneFile } from '../command-options.ts';
import { readBytes, readPublicKey, readText } from '../input-files.ts';
import { plainLine } from '../plain-text.ts';

export const verifyAction: Action = {
  usage: 'verify FILE (--pub PUB… | --trust FILE) [--json]',
  about: 'Check FILE and FILE.minisig; exit code 1 and a stable code on standard error when it is refused',
  async run({ args, print, complain }) {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: {
        pub: { type: 'string', multiple: true },
        trust: { type: 'string' },
        json: { type: 'boolean', default: false },
      },
      allowPositionals: true,
    });
    const file = oneFile(positionals, 'FILE');
    const signers = await readSigners(values.pub, values.trust);
    const bytes = await readBytes(file, bundleLimits.fileBytes);
    const verdict = await verifyBundle(bytes, await readText(`${file}.minisig`), signers, Date.now());
    if (!verdict.ok) {
      const { ok, code, field, reason } = verdict;
      if (values.json) print(`${JSON.stringify({ ok, code, field, reason })}\n`);
      complain(`${plainLine(`${code}: ${file}: ${reason}`)}\n`);
      return exitCodes.refused;
    }
    const { manifest, sha256, signedBy, trustedComment } = verdict.bundle;
    if (values.json) print(`${JSON.stringify({ ok: true, manifest, sha256, signedBy, trustedComment })}\n`);
    else
      print(
        `${manifest.name} ${manifest.version}: signed by ${signedBy.join(', ')} (${plainLine(JSON.stringify(trustedComment))}), SHA-256 ${sha256}\n`,
      );
    return exitCodes.ok;
  },
};

async function readSigners(pub: readonly string[] | undefined, trust: string | undefined): Promise<Signers> {
  if ((pub === undefined) === (trust === undefined))
    throw cliError('cli.usage', 'verify: either --pub PUB or --trust FILE is needed');
  if (pub !== undefined) return signersOf(await Promise.all(pub.map(readPublicKey)));
  const { document } = orThrow(await acceptFirstTrust(await readText(trust ?? '')), trust);
  return orThrow(signersFor(document, 'publisher'), trust).signers;
}
