// Content, its `.minisig` and who may sign -> who did, or a refusal. The order of checks is fixed: cheap and structural first, and
// nothing of the content is looked at before its signature held.
import { createHash } from 'node:crypto';
import { loadSodium } from './load-sodium.ts';
import { isSameKey, type PublicKey } from './public-key.ts';
import { globalContent, parseSignatures, type Signature } from './signature-text.ts';
import type { SignerKey, Signers } from './signers.ts';
import { refuse, type TrustRefusal } from './trust-refusal.ts';

export interface Signed {
  readonly ok: true;
  readonly signedBy: readonly PublicKey[];
  /** Of the first signature that counted. */
  readonly trustedComment: string;
  /** Of the content, hexadecimal. */
  readonly sha256: string;
}

/**
 * Signatures by keys that are unknown, revoked or out of their time are passed over when enough others are there; a wrong
 * signature by a trusted key refuses all.
 * @param nowMs when the signature must count: now, or for what was accepted before, that moment. A revoked key counts never.
 */
export async function verifySigned(
  content: Uint8Array,
  text: string,
  signers: Signers,
  nowMs: number,
): Promise<Signed | TrustRefusal> {
  if (!(nowMs < signers.expiresMs)) return expired(signers, nowMs);
  const parsed = parseSignatures(text);
  if (!parsed.ok) return parsed;
  const counted: { readonly signature: Signature; readonly key: PublicKey }[] = [];
  let passedOver: TrustRefusal | null = null;
  for (const signature of parsed.signatures) {
    const named = signers.keys.filter(({ key }) => key.id === signature.keyId);
    if (named.length === 0) {
      passedOver ??= unknownKey(signature.keyId, signers);
      continue;
    }
    const checked = await checkOne(content, signature, named, signers, nowMs);
    if (!checked.ok) {
      if (checked.code !== 'trust.key-revoked' && checked.code !== 'trust.key-not-valid') return checked;
      passedOver ??= checked;
      continue;
    }
    if (!counted.some(({ key }) => isSameKey(key, checked.key)))
      counted.push({ signature, key: checked.key });
  }
  const [first] = counted;
  if (first === undefined) return passedOver ?? tooFew(0, signers);
  if (counted.length < signers.threshold) return tooFew(counted.length, signers);
  const sha256 = createHash('sha256').update(content).digest('hex');
  if (signers.revokedContent.has(sha256))
    return refuse(
      'trust.content-revoked',
      `accept what ${first.key.id} signed: SHA-256 ${sha256} is revoked`,
    );
  return {
    ok: true,
    signedBy: counted.map(({ key }) => key),
    trustedComment: first.signature.trustedComment,
    sha256,
  };
}

async function checkOne(
  content: Uint8Array,
  signature: Signature,
  named: readonly SignerKey[],
  signers: Signers,
  nowMs: number,
): Promise<{ readonly ok: true; readonly key: PublicKey } | TrustRefusal> {
  const { keyId, bytes, trustedComment, globalBytes } = signature;
  const live = named.filter(({ key }) => !signers.revokedKeys.some((revoked) => isSameKey(key, revoked)));
  if (live.length === 0) return revokedKey(keyId);
  const sodium = await loadSodium();
  const message = signature.algorithm === 'ED' ? sodium.crypto_generichash(64, content, null) : content;
  // An id is chosen by its maker: two keys may bear the same.
  const signer = live.find(({ key }) => sodium.crypto_sign_verify_detached(bytes, message, key.bytes));
  if (signer === undefined)
    return refuse(
      'trust.bad-signature',
      `check the signature of ${keyId}: it does not belong to this content; one of both was changed: get both files anew, or sign again`,
    );
  const whole = globalContent(bytes, trustedComment);
  if (!sodium.crypto_sign_verify_detached(globalBytes, whole, signer.key.bytes))
    return refuse('trust.bad-comment', `check the signature of ${keyId}: its trusted comment was changed`);
  if (!(signer.validFromMs <= nowMs && nowMs < signer.validUntilMs)) return notValid(signer, nowMs);
  return { ok: true, key: signer.key };
}

function unknownKey(keyId: string, signers: Signers): TrustRefusal {
  if (signers.revokedKeys.some(({ id }) => id === keyId)) return revokedKey(keyId);
  const known = signers.keys.map(({ key }) => key.id).join(', ');
  return refuse(
    'trust.unknown-key',
    `check the signature of ${keyId}: no ${signers.role} has this key (${known === '' ? 'there is none' : `known: ${known}`}); sign with a key that is known there, or have this one trusted first`,
  );
}

function revokedKey(keyId: string): TrustRefusal {
  return refuse(
    'trust.key-revoked',
    `check the signature of ${keyId}: this key is revoked; sign with another`,
  );
}

function notValid({ key, validFromMs, validUntilMs }: SignerKey, nowMs: number): TrustRefusal {
  const [from, until] = [instantText(validFromMs), instantText(validUntilMs)];
  return refuse(
    'trust.key-not-valid',
    `check the signature of ${key.id}: this key counts from ${from} to ${until}, and it is ${instantText(nowMs)}`,
  );
}

function tooFew(count: number, { role, threshold }: Signers): TrustRefusal {
  return refuse(
    'trust.too-few-signatures',
    `check signatures: ${count} of ${threshold} needed from different ${role} keys`,
  );
}

function expired({ role, expiresMs }: Signers, nowMs: number): TrustRefusal {
  return refuse(
    'trust.document-expired',
    `check a ${role}'s signature: what says who is trusted expired ${instantText(expiresMs)}, and it is ${instantText(nowMs)}; a newer trust document is needed`,
  );
}

function instantText(ms: number): string {
  return Number.isFinite(ms) ? new Date(ms).toISOString() : ms < 0 ? 'ever' : 'no end';
}
