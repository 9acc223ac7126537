// The bytes of an `.awp` and its `.minisig` -> `VerifiedBundle`, or a refusal. Nothing is unpacked before the signature held, and
// nothing of what is unpacked is believed before the check that stands for it.
import type { Signers } from '../trust/signers.ts';
import type { TrustRefusal } from '../trust/trust-refusal.ts';
import { verifySigned } from '../trust/verify-signed.ts';
import { bundleLimits, sbomPath } from './bundle-limits.ts';
import { type BundleRefusal, refuse } from './bundle-refusal.ts';
import { checkMembers } from './check-members.ts';
import { openGzip } from './gzip-frame.ts';
import { readManifest } from './read-manifest.ts';
import { checkSbom } from './sbom.ts';
import { scanMembers } from './scan-members.ts';
import { readTar } from './tar.ts';
import type { BundleContent, VerifiedBundle } from './verified-bundle.ts';

export type BundleVerdict =
  | { readonly ok: true; readonly bundle: VerifiedBundle }
  | BundleRefusal
  | (TrustRefusal & { readonly field: string });

/**
 * @param bytes read once, bounded by `bundleLimits.fileBytes` (lib/read-at-most.ts)
 * @param trust who may sign: `signersFor(document, 'publisher')` or `signersOf(keys)`
 * @param nowMs when the signature must count: now; for what is installed already, the moment it was
 */
export async function verifyBundle(
  bytes: Uint8Array,
  signatureText: string,
  trust: Signers,
  nowMs: number,
): Promise<BundleVerdict> {
  if (bytes.length > bundleLimits.fileBytes)
    return refuse(
      'bundle.too-large',
      '',
      `has ${bytes.length} bytes; at most ${bundleLimits.fileBytes} may be`,
    );
  const signed = await verifySigned(bytes, signatureText, trust, nowMs);
  if (!signed.ok) return { ...signed, field: '' };

  const tar = openGzip(bytes, bundleLimits.unpackedBytes);
  if (!tar.ok) return tar;
  const read = readTar(tar.bytes);
  if (!read.ok) return read;
  const [first, ...rest] = read.members;
  const readFirst = readManifest(first);
  if (!readFirst.ok) return readFirst;
  const { manifest } = readFirst;
  const members = new Map(rest.map(({ path, bytes: content }) => [path, content]));
  const refusal =
    checkMembers(manifest, rest) ??
    checkSbom(manifest, members.get(sbomPath)) ??
    scanMembers(manifest, members);
  if (refusal !== null) return refusal;
  const content: BundleContent = {
    manifest,
    members,
    sha256: signed.sha256,
    fileBytes: bytes.length,
    signedBy: signed.signedBy.map(({ id }) => id),
    trustedComment: signed.trustedComment,
  };
  return { ok: true, bundle: content as VerifiedBundle };
}
