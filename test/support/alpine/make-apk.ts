// A tree and its description -> one Alpine package (format 2): signature, control data and files, each a gzip stream of its own.
// https://wiki.alpinelinux.org/wiki/Apk_spec
import { createHash, createSign } from 'node:crypto';
import { lstat, readdir, readFile, readlink } from 'node:fs/promises';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { type TarEntry, toCutTar, toTar } from './to-tar.ts';

export interface SigningKey {
  /** As packages name it: `test-1.rsa.pub`. */
  readonly name: string;
  readonly privatePem: string;
  readonly publicPem: string;
}

export interface PackageInfo {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  readonly description: string;
  readonly license: string;
  readonly depends?: readonly string[];
  readonly provides?: readonly string[];
}

export interface Apk {
  readonly info: PackageInfo;
  readonly bytes: Buffer;
  readonly installedBytes: number;
  /** Of the control stream, as the index has it: `Q1…`. */
  readonly checksum: string;
}

export async function makeApk(info: PackageInfo, tree: string | undefined, key: SigningKey): Promise<Apk> {
  const files = tree === undefined ? [] : await entriesOf(tree);
  const data = gzip(toTar(files));
  const installedBytes = files.reduce(
    (sum, entry) => sum + (entry.kind === 'file' ? entry.bytes.length : 0),
    0,
  );
  const described = packageInfo(info, installedBytes, createHash('sha256').update(data).digest('hex'));
  const control = gzip(
    toCutTar([{ path: '.PKGINFO', kind: 'file', mode: 0o644, bytes: Buffer.from(described) }]),
  );
  return {
    info,
    bytes: Buffer.concat([signatureOf(control, key), control, data]),
    installedBytes,
    checksum: `Q1${createHash('sha1').update(control).digest('base64')}`,
  };
}

/** The stream that goes before the signed one. */
export function signatureOf(signed: Buffer, key: SigningKey): Buffer {
  const bytes = createSign('RSA-SHA1').update(signed).sign(key.privatePem);
  return gzip(toCutTar([{ path: `.SIGN.RSA.${key.name}`, kind: 'file', mode: 0o644, bytes }]));
}

export function gzip(bytes: Buffer): Buffer {
  return gzipSync(bytes, { level: 6 });
}

function packageInfo(info: PackageInfo, size: number, dataHash: string): string {
  const lines: readonly (readonly [string, string])[] = [
    ['pkgname', info.name],
    ['pkgver', info.version],
    ['pkgdesc', info.description],
    ['url', 'https://example.org/'],
    ['builddate', '0'],
    ['packager', 'AutoWeave Edge tests'],
    ['size', String(size)],
    ['arch', info.architecture],
    ['origin', info.name],
    ['license', info.license],
    ...(info.depends ?? []).map((name): [string, string] => ['depend', name]),
    ...(info.provides ?? []).map((name): [string, string] => ['provides', name]),
    ['datahash', dataHash],
  ];
  return lines.map(([key, value]) => `${key} = ${value}\n`).join('');
}

async function entriesOf(tree: string): Promise<readonly TarEntry[]> {
  const names = (await readdir(tree, { recursive: true })).sort();
  return Promise.all(names.map((name) => entryOf(tree, name)));
}

async function entryOf(tree: string, name: string): Promise<TarEntry> {
  const at = path.join(tree, name);
  const facts = await lstat(at);
  const checksum = (of: string | Buffer) => ({
    'APK-TOOLS.checksum.SHA1': createHash('sha1').update(of).digest('hex'),
  });
  if (facts.isDirectory()) return { path: `${name}/`, kind: 'folder', mode: facts.mode & 0o7777 };
  if (facts.isSymbolicLink()) {
    const target = await readlink(at);
    return { path: name, kind: 'link', target, extended: checksum(target) };
  }
  const bytes = await readFile(at);
  return { path: name, kind: 'file', mode: facts.mode & 0o7777, bytes, extended: checksum(bytes) };
}
