// Content and secret key -> the text of its `.minisig`, prehashed: what `minisign -S` writes.
import { loadSodium } from './load-sodium.ts';
import type { SecretKey } from './secret-key.ts';
import { globalContent, signatureText } from './signature-text.ts';

export async function signContent(
  content: Uint8Array,
  key: SecretKey,
  /** Signed, and shown by `minisign -V`; one line. */
  trustedComment: string,
): Promise<string> {
  const line = trustedComment.replaceAll(/[\r\n]/g, ' ');
  const sodium = await loadSodium();
  const bytes = sodium.crypto_sign_detached(sodium.crypto_generichash(64, content, null), key.bytes);
  const globalBytes = sodium.crypto_sign_detached(globalContent(bytes, line), key.bytes);
  const keyId = key.public.id;
  return signatureText(
    { algorithm: 'ED', keyId, bytes, trustedComment: line, globalBytes },
    `signature of key ${keyId}`,
  );
}

/** The trusted comment as minisign makes it. */
export function trustedCommentFor(fileName: string, nowMs: number): string {
  return `timestamp:${Math.floor(nowMs / 1_000)}\tfile:${fileName}\thashed`;
}
