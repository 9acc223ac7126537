// Packages -> a folder that is an Alpine mirror: RELEASE/REPOSITORY/ARCHITECTURE with the packages and their signed index.
import { generateKeyPairSync } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type Apk, gzip, type SigningKey, signatureOf } from './make-apk.ts';
import { toTar } from './to-tar.ts';

export interface RepositoryPlace {
  readonly mirror: string;
  /** `v3.23` */
  readonly release: string;
  /** `main` */
  readonly repository: string;
  /** `x86_64` */
  readonly architecture: string;
}

export function makeSigningKey(name: string): SigningKey {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  return { name, privatePem: privateKey, publicPem: publicKey };
}

export function folderOf({ mirror, release, repository, architecture }: RepositoryPlace): string {
  return path.join(mirror, release, repository, architecture);
}

/** @param key undefined: the index is not signed */
export async function writeRepository(
  place: RepositoryPlace,
  packages: readonly Apk[],
  key: SigningKey | undefined,
): Promise<void> {
  const folder = folderOf(place);
  await mkdir(folder, { recursive: true });
  for (const { info, bytes } of packages)
    await writeFile(path.join(folder, `${info.name}-${info.version}.apk`), bytes);
  await writeFile(path.join(folder, 'APKINDEX.tar.gz'), toIndex(packages, key));
}

export function toIndex(packages: readonly Apk[], key: SigningKey | undefined): Buffer {
  const text = (name: string, value: string) =>
    ({ path: name, kind: 'file', mode: 0o644, bytes: Buffer.from(value) }) as const;
  const entries = [text('DESCRIPTION', 'tests'), text('APKINDEX', packages.map(toEntry).join(''))];
  if (key === undefined) return gzip(toTar(entries));
  const index = gzip(toTar(entries));
  return Buffer.concat([signatureOf(index, key), index]);
}

function toEntry({ info, bytes, installedBytes, checksum }: Apk): string {
  const fields: readonly (readonly [string, string])[] = [
    ['C', checksum],
    ['P', info.name],
    ['V', info.version],
    ['A', info.architecture],
    ['S', String(bytes.length)],
    ['I', String(installedBytes)],
    ['T', info.description],
    ['U', 'https://example.org/'],
    ['L', info.license],
    ['o', info.name],
    ['t', '0'],
    ['D', (info.depends ?? []).join(' ')],
    ['p', (info.provides ?? []).join(' ')],
  ];
  return `${fields
    .filter(([, value]) => value !== '')
    .map(([key, value]) => `${key}:${value}\n`)
    .join('')}\n`;
}
