// A trust file -> what a person wants to know of it: who is trusted, until when, and who signed.
import { type PublicKey, parsePublicKey } from '../trust/public-key.ts';
import type { TrustFile } from '../trust/read-trust-file.ts';
import { parseSignatures } from '../trust/signature-text.ts';
import { signersOf } from '../trust/signers.ts';
import { verifySigned } from '../trust/verify-signed.ts';
import { plainLine } from './plain-text.ts';

export async function trustText({ document, signedText, signatures }: TrustFile): Promise<string> {
  const lines = [`version ${document.version}, issued ${document.issued}, expires ${document.expires}`];
  const known: PublicKey[] = [];
  for (const [name, { threshold, keys }] of Object.entries(document.roles)) {
    lines.push(`${name}: ${threshold} of ${keys.length} must sign`);
    for (const { key, note, validFrom, validUntil } of keys) {
      const parsed = parsePublicKey(key);
      if (parsed.ok) known.push(parsed.key);
      const facts = [
        validFrom === undefined ? '' : ` from ${validFrom}`,
        validUntil === undefined ? '' : ` until ${validUntil}`,
        note === undefined ? '' : ` (${note})`,
      ];
      lines.push(`  ${parsed.ok ? parsed.key.id : '?'} ${key}${facts.join('')}`);
    }
  }
  const { keys, content } = document.revoked;
  for (const { key, since, reason } of keys) lines.push(`revoked key ${key} ${since}: ${reason}`);
  for (const { sha256, since, reason } of content)
    lines.push(`revoked content ${sha256} ${since}: ${reason}`);
  if (signatures.length === 0) lines.push('not signed');
  for (const text of signatures) lines.push(await signatureLine(Buffer.from(signedText), text, known));
  return `${lines.map(plainLine).join('\n')}\n`;
}

async function signatureLine(content: Buffer, text: string, known: readonly PublicKey[]): Promise<string> {
  const parsed = parseSignatures(text);
  const id = parsed.ok ? (parsed.signatures[0]?.keyId ?? '?') : '?';
  for (const key of known.filter((each) => each.id === id))
    if ((await verifySigned(content, text, signersOf([key]), 0)).ok) return `signed by ${id}`;
  return `signature of ${id}: not by a key of this document, or wrong`;
}
