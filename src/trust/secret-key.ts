// minisign's secret keys: the file's text <-> the 64 bytes that sign, with a password or without.
import { AppError } from '../lib/app-error.ts';
import { type KdfLimits, keyStream, minisignKdfLimits } from './key-stream.ts';
import { loadSodium } from './load-sodium.ts';
import { keyIdBytes, keyIdText, type PublicKey } from './public-key.ts';
import { strictBase64 } from './strict-base64.ts';
import { refuse, type TrustCode, type TrustRefusal } from './trust-refusal.ts';

export interface SecretKey {
  readonly public: PublicKey;
  /** Seed and public half, as libsodium has them. */
  readonly bytes: Uint8Array;
}

type Verdict = { readonly ok: true; readonly key: SecretKey } | TrustRefusal;

// Algorithm 2, derivation 2, checksum kind 2, salt 32, limits 8 + 8; then hidden: id 8, key 64, checksum 32.
const algorithm = 'Ed';
const fileBytes = 158;
const hiddenAt = 54;

/** @param seed 32 random bytes; @param id 8 random bytes */
export async function newSecretKey({
  seed,
  id,
}: {
  readonly seed: Uint8Array;
  readonly id: Uint8Array;
}): Promise<SecretKey> {
  const pair = (await loadSodium()).crypto_sign_seed_keypair(seed);
  return { public: { id: keyIdText(id), bytes: pair.publicKey }, bytes: pair.privateKey };
}

/** Whether the text has the form of a secret key's file. */
export function isSecretKeyFile(text: string): boolean {
  return rawBytes(text) !== null;
}

/** Whether the text is a key file that needs a password. */
export function needsPassword(text: string): boolean {
  const bytes = rawBytes(text);
  return bytes !== null && kdfOf(bytes) === 'Sc';
}

export async function parseSecretKey(text: string, password: string | null): Promise<Verdict> {
  const bytes = rawBytes(text);
  if (bytes === null)
    return malformed(
      /^RW[A-Za-z0-9+/]{54}$/m.test(text)
        ? 'it is the public half; the secret one is in the file that ends in .key'
        : 'it is not in the format that minisign -G writes',
    );
  if (kdfOf(bytes) === '\0\0') return checked(bytes.subarray(0, 2), bytes.subarray(hiddenAt), false);
  if (password === null)
    return refuse(
      'trust.key-password',
      'open a secret key: it is locked with a password, and none was given; there is no terminal to ask: say --password-file FILE',
    );
  const limits = { opsLimit: limitAt(bytes, 38), memLimitBytes: limitAt(bytes, 46) };
  const options = { salt: bytes.subarray(6, 38), limits, length: fileBytes - hiddenAt };
  const stream = await keyStream(password, options);
  if (stream === null)
    return refuse(
      'trust.key-too-costly',
      `open a secret key: its password function asks for ${limits.memLimitBytes} bytes of memory; make the key again`,
    );
  return checked(bytes.subarray(0, 2), xor(bytes.subarray(hiddenAt), stream), true);
}

/** With a password the text is worth as much as the password; without one, as much as the key. */
export async function secretKeyFile(
  key: SecretKey,
  lock: {
    readonly password: string;
    /** 32 random bytes */
    readonly salt: Uint8Array;
    readonly limits?: KdfLimits;
  } | null,
): Promise<string> {
  const id = keyIdBytes(key.public.id);
  const hidden = Buffer.concat([id, key.bytes, await checksum(Buffer.from(algorithm), id, key.bytes)]);
  const head = Buffer.alloc(hiddenAt);
  head.write('Ed\0\0B2', 'latin1');
  if (lock === null) return fileText('minisign unencrypted secret key', head, hidden);
  const limits = lock.limits ?? minisignKdfLimits;
  head.write('Sc', 2, 'latin1');
  head.set(lock.salt, 6);
  head.writeBigUInt64LE(BigInt(limits.opsLimit), 38);
  head.writeBigUInt64LE(BigInt(limits.memLimitBytes), 46);
  const stream = await keyStream(lock.password, { salt: lock.salt, limits, length: hidden.length });
  if (stream === null)
    throw new AppError<TrustCode>(
      'trust.key-too-costly',
      `lock a secret key: ${limits.memLimitBytes} bytes of memory cannot be had; free some, or make the key on another computer`,
    );
  return fileText('minisign encrypted secret key', head, xor(hidden, stream));
}

async function checked(algorithm: Uint8Array, opened: Uint8Array, isLocked: boolean): Promise<Verdict> {
  const [id, bytes, sum] = [opened.subarray(0, 8), opened.subarray(8, 72), opened.subarray(72)];
  // Without a password minisign leaves the checksum empty.
  const isBare = !isLocked && sum.every((byte) => byte === 0);
  if (!isBare && Buffer.compare(await checksum(algorithm, id, bytes), sum) !== 0)
    return isLocked
      ? refuse('trust.key-password', 'open a secret key: the password is wrong, or the file is damaged')
      : malformed('its checksum is wrong: the file is damaged');
  const key = await newSecretKey({ seed: bytes.subarray(0, 32), id });
  if (Buffer.compare(key.bytes, bytes) !== 0) return malformed('its two halves do not belong together');
  return { ok: true, key };
}

async function checksum(algorithm: Uint8Array, id: Uint8Array, bytes: Uint8Array): Promise<Uint8Array> {
  return (await loadSodium()).crypto_generichash(32, Buffer.concat([algorithm, id, bytes]), null);
}

function rawBytes(text: string): Uint8Array | null {
  const [comment, line, rest] = text.split('\n');
  if (comment?.startsWith('untrusted comment: ') !== true || line === undefined || (rest ?? '') !== '')
    return null;
  const bytes = strictBase64(line, fileBytes);
  if (
    bytes === null ||
    !['Ed\0\0B2', 'EdScB2'].includes(Buffer.from(bytes.subarray(0, 6)).toString('latin1'))
  )
    return null;
  return bytes;
}

function kdfOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.subarray(2, 4)).toString('latin1');
}

function limitAt(bytes: Uint8Array, at: number): number {
  return Number(Buffer.from(bytes).readBigUInt64LE(at));
}

function xor(bytes: Uint8Array, stream: Uint8Array): Uint8Array {
  return bytes.map((byte, index) => byte ^ (stream[index] ?? 0));
}

function fileText(comment: string, head: Uint8Array, hidden: Uint8Array): string {
  return `untrusted comment: ${comment}\n${Buffer.concat([head, hidden]).toString('base64')}\n`;
}

function malformed(why: string): TrustRefusal {
  return refuse('trust.key-malformed', `open a secret key: ${why}`);
}
