// The text of a `.minisig` <-> its parts. Four lines are one signature; where several keys must sign, their signatures stand below
// each other (the stock tool checks the first).
import { keyIdBytes, keyIdText } from './public-key.ts';
import { strictBase64 } from './strict-base64.ts';
import { refuse, type TrustRefusal } from './trust-refusal.ts';

/** `ED`: the BLAKE2b-512 hash was signed. `Ed`: the content itself, as minisign did before version 0.8. */
export type SignatureAlgorithm = 'ED' | 'Ed';

export interface Signature {
  readonly algorithm: SignatureAlgorithm;
  readonly keyId: string;
  /** Of the content. */
  readonly bytes: Uint8Array;
  readonly trustedComment: string;
  /** Of `bytes` and the trusted comment. */
  readonly globalBytes: Uint8Array;
}

export const maxSignatures = 16;
const untrusted = 'untrusted comment: ';
const trusted = 'trusted comment: ';
/** minisign's own bounds. */
const maxUntrustedBytes = 1_024;
const maxTrustedBytes = 8_192;

export function parseSignatures(
  text: string,
): { readonly ok: true; readonly signatures: readonly Signature[] } | TrustRefusal {
  if (text.length > maxSignatures * (maxUntrustedBytes + maxTrustedBytes + 256))
    return malformed('it is too long');
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  if (lines.length === 0 || lines.length % 4 !== 0 || lines.length > 4 * maxSignatures)
    return malformed(`it has ${lines.length} lines; a signature has four`);
  const signatures: Signature[] = [];
  for (let at = 0; at < lines.length; at += 4) {
    const [first = '', second = '', third = '', fourth = ''] = lines.slice(at, at + 4);
    const parsed = parseOne(first, second, third, fourth);
    if (!parsed.ok) return parsed;
    signatures.push(parsed.signature);
  }
  return { ok: true, signatures };
}

function parseOne(first: string, second: string, third: string, fourth: string) {
  if (!first.startsWith(untrusted) || Buffer.byteLength(first) > maxUntrustedBytes)
    return malformed(`line 1 does not begin with "${untrusted}"`);
  const bytes = strictBase64(second, 74);
  if (bytes === null) return malformed('line 2 is not a signature');
  const algorithm = Buffer.from(bytes.subarray(0, 2)).toString('latin1');
  if (algorithm !== 'ED' && algorithm !== 'Ed')
    return refuse(
      'trust.signature-algorithm',
      `read a signature: algorithm ${JSON.stringify(algorithm)} is not Ed25519 in minisign's format (ED or Ed)`,
    );
  if (!third.startsWith(trusted) || Buffer.byteLength(third) > maxTrustedBytes)
    return malformed(`line 3 does not begin with "${trusted}"`);
  const globalBytes = strictBase64(fourth, 64);
  if (globalBytes === null) return malformed('line 4 is not the signature of the trusted comment');
  const signature: Signature = {
    algorithm,
    keyId: keyIdText(bytes.subarray(2, 10)),
    bytes: bytes.subarray(10),
    trustedComment: third.slice(trusted.length),
    globalBytes,
  };
  return { ok: true, signature } as const;
}

export function signatureText(signature: Signature, comment: string): string {
  const { algorithm, keyId, bytes, trustedComment, globalBytes } = signature;
  const line = Buffer.concat([Buffer.from(algorithm), keyIdBytes(keyId), bytes]).toString('base64');
  const last = Buffer.from(globalBytes).toString('base64');
  return `${untrusted}${comment}\n${line}\n${trusted}${trustedComment}\n${last}\n`;
}

/** What the second signature of the file covers. */
export function globalContent(bytes: Uint8Array, trustedComment: string): Uint8Array {
  return Buffer.concat([bytes, Buffer.from(trustedComment)]);
}

function malformed(why: string): TrustRefusal {
  return refuse('trust.signature-malformed', `read a signature: ${why}; sign the file again`);
}
