// An image file, the SHA256SUMS and SHA256SUMS.minisig beside it, and a public key -> the SHA-256 that the file must have.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { errorText } from '../lib/error-text.ts';
import { type PublicKey, parsePublicKey } from '../trust/public-key.ts';
import { signersOf } from '../trust/signers.ts';
import { verifySigned } from '../trust/verify-signed.ts';
import { type ExpectedSum, lineFor } from './check-image-file.ts';
import { FlashError } from './flash-error.ts';

/** @param named a public key's file, or the key itself (`RW…`). Rejects unless the sums are signed by it and name the file. */
export async function checkImageSignature(
  file: string,
  named: string,
): Promise<ExpectedSum & { readonly keyId: string }> {
  const key = await readKey(named);
  const sums = path.join(path.dirname(file), 'SHA256SUMS');
  const text = await readBeside(sums);
  const signature = await readBeside(`${sums}.minisig`);
  // No moment to judge by: a key that is named here counts because it is named.
  const verdict = await verifySigned(text, signature.toString('utf8'), signersOf([key]), 0);
  if (!verdict.ok)
    throw new FlashError({
      code: 'flash.signature-wrong',
      message: `check ${sums}.minisig: ${verdict.reason} (${verdict.code})`,
      remedy: `Download image, SHA256SUMS and signature again, and compare the key ${key.id} with what its owner says. Nothing was written.`,
    });
  const sha256 = lineFor(text.toString('utf8'), file, { mustBeNamed: true });
  if (sha256 === '')
    throw new FlashError({
      code: 'flash.signature-missing',
      message: `check ${file}: ${sums} is signed and does not name ${path.basename(file)}`,
      remedy: 'Write the file as it was handed out, not unpacked and not renamed. Nothing was written.',
    });
  return { from: sums, sha256, keyId: key.id };
}

async function readKey(named: string): Promise<PublicKey> {
  const text = named.startsWith('RW')
    ? named
    : await readFile(named, 'utf8').catch((cause: unknown) => {
        throw keyUnreadable(named, errorText(cause));
      });
  const parsed = parsePublicKey(text);
  if (!parsed.ok) throw keyUnreadable(named, parsed.reason);
  return parsed.key;
}

async function readBeside(file: string): Promise<Buffer> {
  return readFile(file).catch((cause: unknown) => {
    throw new FlashError({
      code: 'flash.signature-missing',
      message: `check the image's signature: ${errorText(cause)}`,
      remedy: `Put ${path.basename(file)} beside the image, or leave --pub out to write it unchecked. Nothing was written.`,
    });
  });
}

function keyUnreadable(named: string, why: string): FlashError {
  return new FlashError({
    code: 'flash.key-unreadable',
    message: `read the public key ${named}: ${why}`,
    remedy: 'Name the .pub file of whoever made the image, or the key itself (RW…).',
  });
}
