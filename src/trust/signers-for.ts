// A trust document and a role -> who may sign for it.
import type { TrustDocument } from '../contracts/trust-document.ts';
import type { TrustedDocument } from './accept-trust.ts';
import { type PublicKey, parsePublicKey } from './public-key.ts';
import type { Signers } from './signers.ts';
import { refuse, type TrustRefusal } from './trust-refusal.ts';

type Verdict = { readonly ok: true; readonly signers: Signers } | TrustRefusal;

export function signersFor(document: TrustedDocument, role: string): Verdict {
  return signersFrom(document, role);
}

/** Of a document that nobody vouches for yet. */
export function signersFrom(document: TrustDocument, role: string): Verdict {
  const entry = Object.hasOwn(document.roles, role) ? document.roles[role] : undefined;
  if (entry === undefined)
    return refuse(
      'trust.role-missing',
      `find who may sign as ${role}: version ${document.version} of the trust document names nobody; add one with \`autoweave trust add\``,
    );
  return {
    ok: true,
    signers: {
      role,
      threshold: entry.threshold,
      keys: entry.keys.flatMap(({ key, validFrom, validUntil }) =>
        keysOf(key).map((parsed) => ({
          key: parsed,
          validFromMs: validFrom === undefined ? -Infinity : Date.parse(validFrom),
          validUntilMs: validUntil === undefined ? Infinity : Date.parse(validUntil),
        })),
      ),
      revokedKeys: document.revoked.keys.flatMap(({ key }) => keysOf(key)),
      revokedContent: new Set(document.revoked.content.map(({ sha256 }) => sha256)),
      expiresMs: Date.parse(document.expires),
    },
  };
}

/** None when it cannot be read: then nothing that it signed counts. */
function keysOf(line: string): readonly PublicKey[] {
  const parsed = parsePublicKey(line);
  return parsed.ok ? [parsed.key] : [];
}
