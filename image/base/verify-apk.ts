// The bytes of one Alpine package -> nothing, or why they are not to be used. Order: control stream against the signed index, files
// against the control stream, signature against the trusted keys. (apko 0.30 splits packages, but accepts another control stream.)
import { createHash, createVerify } from 'node:crypto';
import { gunzipSync, inflateRawSync } from 'node:zlib';
import { ImageError } from '../image-error.ts';
import type { AlpineKey } from './alpine-keys.ts';

const digests: Readonly<Record<string, string>> = {
  RSA: 'RSA-SHA1',
  RSA256: 'RSA-SHA256',
  RSA512: 'RSA-SHA512',
};

/** @param control SHA-1 that the index has, as hexadecimal digits */
export function verifyApk(file: string, bytes: Buffer, control: string, keys: readonly AlpineKey[]): void {
  const damaged = (reason: string, cause?: unknown) =>
    new ImageError(
      'image.package-damaged',
      `verify ${file}: ${reason}; choose another mirror, and tell the owner of this one`,
      { cause },
    );
  let parts: Parts;
  try {
    parts = split(bytes);
  } catch (cause) {
    throw damaged('it is no Alpine package of three gzip streams', cause);
  }
  if (hashOf('sha1', parts.control) !== control)
    throw damaged(
      `its control data is not the one of the signed index (SHA-1 ${hashOf('sha1', parts.control)}, expected ${control})`,
    );
  const info = parts.files.control.get('.PKGINFO')?.toString('utf8') ?? '';
  const promised = /^datahash = ([0-9a-f]{64})$/m.exec(info)?.[1];
  if (promised !== hashOf('sha256', parts.data))
    throw damaged(
      `its files have the SHA-256 ${hashOf('sha256', parts.data)}, its control data says ${promised ?? 'none'}`,
    );
  verifySignature(file, parts, keys, damaged);
}

function verifySignature(
  file: string,
  { control, files }: Parts,
  keys: readonly AlpineKey[],
  damaged: (reason: string) => ImageError,
): void {
  const names = [...files.signature.keys()];
  for (const [name, signature] of files.signature) {
    const [, kind = '', keyName = ''] = /^\.SIGN\.(RSA\d*)\.(.+)$/.exec(name) ?? [];
    const digest = digests[kind];
    const key = keys.find((known) => known.name === keyName);
    if (digest === undefined || key === undefined) continue;
    if (createVerify(digest).update(control).verify(key.pem, signature)) return;
    throw damaged(`its signature by ${keyName} is wrong`);
  }
  throw new ImageError(
    'image.key-unknown',
    `verify ${file}: it is signed by ${names.join(', ') || 'nobody'}, trusted are ${keys.map(({ name }) => name).join(', ')}; ` +
      'choose another mirror, or pin the key in image/packages/alpine.json after you have checked it',
  );
}

interface Parts {
  readonly control: Buffer;
  readonly data: Buffer;
  readonly files: {
    readonly signature: ReadonlyMap<string, Buffer>;
    readonly control: ReadonlyMap<string, Buffer>;
  };
}

function split(bytes: Buffer): Parts {
  const first = streamLength(bytes);
  const second = streamLength(bytes.subarray(first));
  const signature = bytes.subarray(0, first);
  const control = bytes.subarray(first, first + second);
  return {
    control,
    data: bytes.subarray(first + second),
    files: { signature: filesOf(gunzipSync(signature)), control: filesOf(gunzipSync(control)) },
  };
}

/** How many bytes the first gzip stream takes: RFC 1952. */
function streamLength(bytes: Buffer): number {
  const flags = bytes[3] ?? 0;
  if (bytes.readUInt16BE(0) !== 0x1f8b) throw new Error('not a gzip stream');
  let at = 10;
  if (flags & 4) at += 2 + bytes.readUInt16LE(at);
  for (const flag of [8, 16]) if (flags & flag) at = bytes.indexOf(0, at) + 1;
  if (flags & 2) at += 2;
  const { engine } = inflateRawSync(bytes.subarray(at), { info: true }) as unknown as {
    readonly engine: { readonly bytesWritten: number };
  };
  const trailer = 8;
  return at + engine.bytesWritten + trailer;
}

/** A small tar archive with or without its end; records that describe the next file are passed over. */
function filesOf(tar: Buffer): ReadonlyMap<string, Buffer> {
  const block = 512;
  const files = new Map<string, Buffer>();
  for (let at = 0; at + block <= tar.length && tar[at] !== 0; ) {
    const text = (offset: number, length: number) =>
      tar.toString('latin1', at + offset, at + offset + length).split('\0')[0] ?? '';
    const size = Number.parseInt(text(124, 12), 8);
    if (!Number.isSafeInteger(size)) throw new Error('a tar header without a size');
    if (text(156, 1) === '0' || text(156, 1) === '')
      files.set(text(0, 100), tar.subarray(at + block, at + block + size));
    at += block + Math.ceil(size / block) * block;
  }
  return files;
}

function hashOf(kind: 'sha1' | 'sha256', bytes: Buffer): string {
  return createHash(kind).update(bytes).digest('hex');
}
