// A trust file and a wish -> the next draft, unsigned. What was signed stays as it is: the draft has the next version.
import type { TrustDocument } from '../contracts/trust-document.ts';
import { isSameKey, type PublicKey, parsePublicKey, publicKeyLine } from './public-key.ts';
import { readTrustFile, type TrustFile, trustDocumentText, trustFileText } from './read-trust-file.ts';
import type { TrustRefusal } from './trust-refusal.ts';

export type TrustEdit = (document: TrustDocument, nowMs: number) => TrustDocument;
export type DraftVerdict =
  | { readonly ok: true; readonly text: string; readonly file: TrustFile }
  | TrustRefusal;

interface Dates {
  readonly nowMs: number;
  readonly expiresMs: number;
}

export function newTrustFile(
  rootKeys: readonly PublicKey[],
  { threshold, nowMs, expiresMs }: Dates & { readonly threshold: number },
): DraftVerdict {
  return draft({
    format: 'autoweave-trust-1',
    version: 1,
    issued: instantText(nowMs),
    expires: instantText(expiresMs),
    roles: { root: { threshold, keys: rootKeys.map((key) => ({ key: publicKeyLine(key) })) } },
    revoked: { keys: [], content: [] },
  });
}

export function editTrustFile(file: TrustFile, edit: TrustEdit, { nowMs, expiresMs }: Dates): DraftVerdict {
  const isSigned = file.signatures.length > 0;
  return draft({
    ...edit(file.document, nowMs),
    version: file.document.version + (isSigned ? 1 : 0),
    issued: instantText(nowMs),
    expires: instantText(expiresMs),
  });
}

/** Also changes what is said of a key that is there. */
export function withKey(
  role: string,
  key: PublicKey,
  facts: {
    readonly note?: string;
    readonly validFromMs?: number;
    readonly validUntilMs?: number;
    readonly threshold?: number;
  },
): TrustEdit {
  return (document) => {
    const old = Object.hasOwn(document.roles, role) ? document.roles[role] : undefined;
    const known = old?.keys.find((each) => isKey(each.key, key));
    const entry = {
      ...known,
      key: publicKeyLine(key),
      ...(facts.note === undefined ? {} : { note: facts.note }),
      ...(facts.validFromMs === undefined ? {} : { validFrom: instantText(facts.validFromMs) }),
      ...(facts.validUntilMs === undefined ? {} : { validUntil: instantText(facts.validUntilMs) }),
    };
    const keys =
      known === undefined
        ? [...(old?.keys ?? []), entry]
        : (old?.keys ?? []).map((each) => (each === known ? entry : each));
    const threshold = facts.threshold ?? old?.threshold ?? 1;
    return { ...document, roles: { ...document.roles, [role]: { threshold, keys } } };
  };
}

/** What it signed is no longer accepted; unlike a revoked key it may come back. */
export function withoutKey(role: string, key: PublicKey, threshold?: number): TrustEdit {
  return (document) => {
    const old = Object.hasOwn(document.roles, role) ? document.roles[role] : undefined;
    if (old === undefined) return document;
    const keys = old.keys.filter((each) => !isKey(each.key, key));
    const changed = { threshold: threshold ?? old.threshold, keys };
    return { ...document, roles: { ...document.roles, [role]: changed } };
  };
}

/** Takes it from every role, for ever. */
export function withRevokedKey(key: PublicKey, reason: string): TrustEdit {
  return (document, nowMs) => {
    const entry = { key: publicKeyLine(key), since: instantText(nowMs), reason };
    const isKnown = document.revoked.keys.some((each) => isKey(each.key, key));
    const keys = isKnown ? document.revoked.keys : [...document.revoked.keys, entry];
    const roles = Object.fromEntries(
      Object.entries(document.roles).map(([name, role]) => [
        name,
        { ...role, keys: role.keys.filter((each) => !isKey(each.key, key)) },
      ]),
    );
    return { ...document, roles, revoked: { ...document.revoked, keys } };
  };
}

export function withRevokedContent(sha256: string, reason: string): TrustEdit {
  return (document, nowMs) => {
    const isKnown = document.revoked.content.some((each) => each.sha256 === sha256);
    if (isKnown) return document;
    const content = [...document.revoked.content, { sha256, since: instantText(nowMs), reason }];
    return { ...document, revoked: { ...document.revoked, content } };
  };
}

/** Read again as everybody else will read it. */
function draft(document: TrustDocument): DraftVerdict {
  const text = trustFileText(trustDocumentText(document), []);
  const read = readTrustFile(text);
  return read.ok ? { ok: true, text, file: read.file } : read;
}

function isKey(line: string, key: PublicKey): boolean {
  const parsed = parsePublicKey(line);
  return parsed.ok && isSameKey(parsed.key, key);
}

function instantText(ms: number): string {
  return `${new Date(Math.floor(ms / 1_000) * 1_000).toISOString().slice(0, 19)}Z`;
}
