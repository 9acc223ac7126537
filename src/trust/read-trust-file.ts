// The text of a trust file -> envelope and document, well-formed but NOT yet verified: for drafts and for showing.
import { TrustDocument, TrustEnvelope } from '../contracts/trust-document.ts';
import { schemaCheck } from '../lib/schema-check.ts';
import { isSameKey, type PublicKey, parsePublicKey } from './public-key.ts';
import { refuse, type TrustRefusal } from './trust-refusal.ts';

export interface TrustFile {
  readonly document: TrustDocument;
  /** The bytes that are signed. */
  readonly signedText: string;
  readonly signatures: readonly string[];
}

export const maxTrustFileBytes = 2_097_152;

const checkEnvelope = schemaCheck(TrustEnvelope);
const checkDocument = schemaCheck(TrustDocument);

export function readTrustFile(text: string): { readonly ok: true; readonly file: TrustFile } | TrustRefusal {
  if (text.length > maxTrustFileBytes) return malformed('', `is longer than ${maxTrustFileBytes} characters`);
  const outer = parseJson(text);
  if (outer === undefined) return malformed('', 'is not JSON');
  const envelope = checkEnvelope(outer);
  if (!envelope.ok) return malformed(envelope.problems[0]?.path, envelope.problems[0]?.message);
  const signedText = envelope.value.document;
  const inner = parseJson(signedText);
  if (inner === undefined) return malformed('/document', 'is not JSON');
  const document = checkDocument(inner);
  if (!document.ok) return malformed(`/document${document.problems[0]?.path}`, document.problems[0]?.message);
  // One spelling: a key that is written twice would mean one thing to us and another to somebody else.
  if (trustDocumentText(document.value) !== signedText)
    return malformed('/document', 'is not spelled as it must be (JSON, two spaces, every key once)');
  return (
    checkMeaning(document.value) ?? {
      ok: true,
      file: { document: document.value, signedText, signatures: envelope.value.signatures },
    }
  );
}

export function trustDocumentText(document: TrustDocument): string {
  return `${JSON.stringify(document, null, 2)}\n`;
}

export function trustFileText(signedText: string, signatures: readonly string[]): string {
  const envelope: TrustEnvelope = { document: signedText, signatures: [...signatures] };
  return `${JSON.stringify(envelope, null, 2)}\n`;
}

function checkMeaning(document: TrustDocument): TrustRefusal | null {
  const { roles, revoked, issued, expires } = document;
  for (const [field, value] of [
    ['/issued', issued],
    ['/expires', expires],
  ] as const)
    if (Number.isNaN(Date.parse(value))) return invalid(field, `${value} is no instant`);
  if (Date.parse(expires) <= Date.parse(issued))
    return invalid('/expires', `${expires} is not after ${issued}`);
  if (roles.root === undefined) return invalid('/roles/root', 'is missing: nobody could sign a next version');

  const revokedKeys: PublicKey[] = [];
  for (const [index, { key }] of revoked.keys.entries()) {
    const parsed = parsePublicKey(key);
    if (!parsed.ok) return invalid(`/revoked/keys/${index}/key`, parsed.reason);
    revokedKeys.push(parsed.key);
  }
  for (const [name, role] of Object.entries(roles)) {
    const seen: PublicKey[] = [];
    for (const [index, { key, validFrom, validUntil }] of role.keys.entries()) {
      const field = `/roles/${name}/keys/${index}`;
      const parsed = parsePublicKey(key);
      if (!parsed.ok) return invalid(`${field}/key`, parsed.reason);
      if (seen.some((other) => isSameKey(other, parsed.key)))
        return invalid(
          `${field}/key`,
          `the key bytes of ${parsed.key.id} are there already, under whatever id`,
        );
      if (revokedKeys.some((other) => isSameKey(other, parsed.key)))
        return invalid(`${field}/key`, `${parsed.key.id} is revoked`);
      if (name === 'root' && (validFrom !== undefined || validUntil !== undefined))
        return invalid(field, 'a root key has no dates: whoever holds an old one could date a document back');
      for (const instant of [validFrom, validUntil])
        if (instant !== undefined && Number.isNaN(Date.parse(instant)))
          return invalid(field, `${instant} is no instant`);
      seen.push(parsed.key);
    }
    // A role may stand empty until its first key comes; one that could never be met is a mistake.
    if (seen.length < role.threshold && (seen.length > 0 || name === 'root'))
      return invalid(`/roles/${name}/threshold`, `${role.threshold} of ${seen.length} keys can never sign`);
  }
  return null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function malformed(field: string | undefined, why: string | undefined): TrustRefusal {
  return refuse('trust.document-malformed', `read a trust document: ${field === '' ? 'it' : field} ${why}`);
}

function invalid(field: string, why: string): TrustRefusal {
  return refuse('trust.document-invalid', `read a trust document: /document${field}: ${why}`);
}
