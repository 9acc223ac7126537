// minisign's public keys: `RW…` alone, or the file that `minisign -G` writes <-> the key's id and its 32 bytes.
import { strictBase64 } from './strict-base64.ts';
import { refuse, type TrustRefusal } from './trust-refusal.ts';

export interface PublicKey {
  /** As minisign prints it: 16 hexadecimal digits. Its maker chose it: it finds a key, it proves nothing. */
  readonly id: string;
  readonly bytes: Uint8Array;
}

const comment = 'untrusted comment: ';
const algorithm = 'Ed';

/** Takes the file's text or its second line alone. */
export function parsePublicKey(text: string): { readonly ok: true; readonly key: PublicKey } | TrustRefusal {
  const lines = text.replace(/\n$/, '').split('\n');
  if (lines.length === 2 && lines[0]?.startsWith(comment)) lines.shift();
  const [line = ''] = lines;
  const bytes = lines.length === 1 ? strictBase64(line, 42) : null;
  if (bytes === null || Buffer.from(bytes.subarray(0, 2)).toString('latin1') !== algorithm)
    return refuse(
      'trust.key-malformed',
      'read a public key: it is not in minisign\'s format ("untrusted comment: …", then 56 characters that begin with RW)',
    );
  return { ok: true, key: { id: keyIdText(bytes.subarray(2, 10)), bytes: bytes.subarray(10) } };
}

/** `RW…`: what is passed on by mail, and what `minisign -P` takes. */
export function publicKeyLine({ id, bytes }: PublicKey): string {
  return Buffer.concat([Buffer.from(algorithm), keyIdBytes(id), bytes]).toString('base64');
}

export function publicKeyFile(key: PublicKey): string {
  return `${comment}minisign public key ${key.id}\n${publicKeyLine(key)}\n`;
}

/** The 8 bytes stand in files in little-endian order, and minisign prints the number. */
export function keyIdText(bytes: Uint8Array): string {
  return Buffer.from(bytes).reverse().toString('hex').toUpperCase();
}

export function keyIdBytes(id: string): Buffer {
  return Buffer.from(id, 'hex').reverse();
}

export function isSameKey(a: PublicKey, b: PublicKey): boolean {
  return Buffer.compare(a.bytes, b.bytes) === 0;
}
