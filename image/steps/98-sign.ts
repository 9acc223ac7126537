// SHA256SUMS and a key -> SHA256SUMS.minisig: `minisign -Vm SHA256SUMS -p KEY.pub`, and `autoweave flash FILE --pub KEY.pub`.
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { errorText } from '../../src/lib/error-text.ts';
import { parseSecretKey } from '../../src/trust/secret-key.ts';
import { signContent } from '../../src/trust/sign-content.ts';
import { type Build, placesOf, releaseName } from '../build.ts';
import { ImageError } from '../image-error.ts';
import type { Step } from '../step.ts';

export interface SignOptions {
  /** A secret key as `autoweave key new` or `minisign -G` writes it. */
  readonly keyFile: string;
  /** First line: its password. */
  readonly passwordFile?: string;
}

export function signatureOf(build: Build): string {
  return `${placesOf(build).checksums}.minisig`;
}

export function sign(options: SignOptions): Step {
  return {
    name: '98-sign',
    place: 'out',
    inputs: () => ['image/steps/98-sign.ts', path.resolve(options.keyFile)],
    outputs: (build) => [signatureOf(build)],
    async run(build) {
      const key = await openKey(options);
      const content = await readFile(placesOf(build).checksums);
      // The time of the image, not of the signing: the same sources and key give the same bytes.
      const comment = `timestamp:${build.epochSeconds}\tfile:SHA256SUMS\timage:${releaseName(build)}\thashed`;
      await writeFile(signatureOf(build), await signContent(content, key, comment));
      build.report(`98-sign: signed by ${key.public.id}`);
    },
  };
}

async function openKey({ keyFile, passwordFile }: SignOptions) {
  const read = (file: string) =>
    readFile(file, 'utf8').catch((cause: unknown) => {
      throw new ImageError('image.input-missing', `sign the image: ${errorText(cause)}`, { cause });
    });
  const password = passwordFile === undefined ? null : ((await read(passwordFile)).split('\n')[0] ?? '');
  const opened = await parseSecretKey(await read(keyFile), password);
  if (opened.ok) return opened.key;
  const remedy = opened.code === 'trust.key-password' ? '; say --sign-password-file FILE' : '';
  throw new ImageError('image.key-unusable', `sign the image: ${keyFile}: ${opened.reason}${remedy}`);
}
