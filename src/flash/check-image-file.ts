// The file's SHA-256 against what stands beside it (FILE.sha256) or on the command line.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { FlashError } from './flash-error.ts';

export interface FileCheck {
  /** null: there was nothing to compare with, and nothing was hashed. */
  readonly sha256: string | null;
  readonly comparedWith: readonly string[];
}

export interface ExpectedSum {
  /** For messages. */
  readonly from: string;
  readonly sha256: string;
}

/** Rejects when a checksum is there and is another one. */
export async function checkImageFile(file: string, given: readonly ExpectedSum[]): Promise<FileCheck> {
  const expected: ExpectedSum[] = given.map(({ from, sha256 }) => ({
    from,
    sha256: checksumOf(sha256, from),
  }));
  const beside = `${file}.sha256`;
  const text = await readFile(beside, 'utf8').catch((cause: unknown) => {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw unusable(beside, String((cause as Error).message));
  });
  if (text !== null) expected.push({ from: beside, sha256: checksumOf(lineFor(text, file), beside) });
  if (expected.length === 0) return { sha256: null, comparedWith: [] };

  const hash = createHash('sha256');
  for await (const bytes of createReadStream(file, { highWaterMark: 1024 * 1024 }))
    hash.update(bytes as Buffer);
  const sha256 = hash.digest('hex');
  for (const { from, sha256: wanted } of expected)
    if (wanted !== sha256)
      throw new FlashError({
        code: 'flash.checksum-wrong',
        message: `check ${file}: its SHA-256 is ${sha256}, and ${from} says ${wanted}`,
        remedy: 'Download or copy the image again. Nothing was written.',
      });
  return { sha256, comparedWith: expected.map(({ from }) => from) };
}

/** The line of `sha256sum` that names the file, or one sum alone unless the name must be there; '' when there is none. */
export function lineFor(
  text: string,
  file: string,
  { mustBeNamed = false }: { readonly mustBeNamed?: boolean } = {},
): string {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const named = lines.find((line) => /^\S+ [ *](.*)$/.exec(line)?.[1] === basename(file));
  if (mustBeNamed) return named?.split(' ')[0] ?? '';
  return named?.split(' ')[0] ?? (lines.length === 1 ? ((lines[0] ?? '').trim().split(/\s+/)[0] ?? '') : '');
}

function checksumOf(text: string, from: string): string {
  const sha256 = text.trim().toLowerCase();
  if (!/^[0-9a-f]{64}$/.test(sha256)) throw unusable(from, 'it has no 64 hexadecimal digits for this file');
  return sha256;
}

function unusable(from: string, why: string): FlashError {
  return new FlashError({
    code: 'flash.checksum-unreadable',
    message: `read the checksum in ${from}: ${why}`,
    remedy: 'Correct it, or remove it to write without this check.',
  });
}
