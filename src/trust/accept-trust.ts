// A trust file -> `TrustedDocument`: the only way to one. The first is taken as it comes (flashing or provisioning vouches for it)
// if its own root keys signed it; from then on version N+1 counts when N's root keys signed it.
import type { TrustDocument } from '../contracts/trust-document.ts';
import { readTrustFile, type TrustFile } from './read-trust-file.ts';
import { signersFrom } from './signers-for.ts';
import { refuse, type TrustRefusal } from './trust-refusal.ts';
import { verifySigned } from './verify-signed.ts';

declare const trusted: unique symbol;
export type TrustedDocument = TrustDocument & { readonly [trusted]: true };

type Verdict = { readonly ok: true; readonly document: TrustedDocument } | TrustRefusal;

/** Also reads again what was accepted and stored. Expiry is judged where the document is used (`signersFor`). */
export async function acceptFirstTrust(text: string): Promise<Verdict> {
  const read = readTrustFile(text);
  if (!read.ok) return read;
  return (await refusalByRoot(read.file, read.file.document, 'its own')) ?? trustedDocument(read.file);
}

/**
 * Only the very next version: a device that was away takes one after the other. An expired document can still hand over, so
 * that a device from the shelf is not lost; what it hands over to must be in force itself to be of use.
 */
export async function acceptNextTrust(current: TrustedDocument, text: string): Promise<Verdict> {
  const read = readTrustFile(text);
  if (!read.ok) return read;
  const { document } = read.file;
  if (document.version !== current.version + 1)
    return refuse(
      'trust.document-version',
      `take over a trust document: it has version ${document.version}, and after ${current.version} comes ${current.version + 1}`,
    );
  // Both: the old keys decide, and the new ones show that whoever holds them can make the version after.
  const refusal =
    (await refusalByRoot(read.file, current, `version ${current.version}'s`)) ??
    (await refusalByRoot(read.file, document, 'its own')) ??
    lostRevocation(current, document);
  return refusal ?? trustedDocument(read.file);
}

async function refusalByRoot(
  { signedText, signatures }: TrustFile,
  by: TrustDocument,
  whose: string,
): Promise<TrustRefusal | null> {
  const signers = signersFrom(by, 'root');
  if (!signers.ok) return signers;
  // No clock: root keys have no dates, and a hand-over must stay good for those who come late.
  const timeless = { ...signers.signers, role: `root of ${whose}`, expiresMs: Infinity };
  const verdict = await verifySigned(Buffer.from(signedText), signatures.join(''), timeless, 0);
  return verdict.ok ? null : verdict;
}

function lostRevocation(current: TrustDocument, next: TrustDocument): TrustRefusal | null {
  const keys = new Set(next.revoked.keys.map(({ key }) => key));
  const content = new Set(next.revoked.content.map(({ sha256 }) => sha256));
  const lost =
    current.revoked.keys.find(({ key }) => !keys.has(key))?.key ??
    current.revoked.content.find(({ sha256 }) => !content.has(sha256))?.sha256;
  if (lost === undefined) return null;
  return refuse(
    'trust.revocation-lost',
    `take over a trust document: ${lost} is revoked in version ${current.version} and no longer in ${next.version}; revoked is for ever`,
  );
}

function trustedDocument({ document }: TrustFile): Verdict {
  return { ok: true, document: document as TrustedDocument };
}
