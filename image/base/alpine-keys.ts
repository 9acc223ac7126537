// The keys that may sign Alpine's index and packages -> a folder with exactly those. Their hashes are pinned in packages/alpine.json;
// the bytes come from the mirror itself, because what has the pinned hash is the pinned key wherever it came from.
import { createHash } from 'node:crypto';
import { copyFile, glob, mkdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { ImageError } from '../image-error.ts';
import { readIndex } from './alpine-index.ts';
import type { AlpineMirror } from './alpine-mirror.ts';
import { unpackApk } from './unpack-apk.ts';

export interface AlpineKey {
  /** As signatures name it. */
  readonly name: string;
  readonly file: string;
  readonly pem: string;
}

export interface KeySources {
  /** A person's own choice: every `*.rsa.pub` in it is trusted, and nothing else. */
  readonly chosen?: string | undefined;
  /** File name -> SHA-256. */
  readonly pins: Readonly<Record<string, string>>;
  readonly mirror: AlpineMirror;
  /** `v3.23/main/x86_64` */
  readonly repository: string;
}

export async function trustedKeys(sources: KeySources, folder: string): Promise<readonly AlpineKey[]> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const from = sources.chosen ?? (await keysOfMirror(sources, `${folder}-unpacked`));
  const keys: AlpineKey[] = [];
  for await (const entry of glob('**/*.rsa.pub', { cwd: from })) {
    const name = path.basename(entry);
    const bytes = await readFile(path.join(from, entry));
    const pinned = sources.pins[name] === createHash('sha256').update(bytes).digest('hex');
    if ((!pinned && sources.chosen === undefined) || keys.some((known) => known.name === name)) continue;
    const file = path.join(folder, name);
    await copyFile(path.join(from, entry), file);
    keys.push({ name, file, pem: bytes.toString('utf8') });
  }
  if (keys.length > 0) return keys;
  throw new ImageError(
    'image.key-unknown',
    sources.chosen === undefined
      ? 'take the keys of Alpine: the mirror has none with a hash that is pinned in image/packages/alpine.json; choose another mirror, or name the folder of its keys with --keys'
      : `take the keys from ${sources.chosen}: there is no file *.rsa.pub; correct --keys`,
  );
}

async function keysOfMirror({ mirror, repository }: KeySources, to: string): Promise<string> {
  const index = await readIndex(await mirror.copy(`${repository}/APKINDEX.tar.gz`));
  const entry = index.find(({ name }) => name === 'alpine-keys');
  if (entry === undefined)
    throw new ImageError(
      'image.key-unknown',
      `take the keys of Alpine: ${repository} has no package alpine-keys; name the folder of the mirror's keys with --keys`,
    );
  await rm(to, { recursive: true, force: true });
  await mkdir(to, { recursive: true });
  await unpackApk(await mirror.copy(`${repository}/alpine-keys-${entry.version}.apk`), to);
  return to;
}
