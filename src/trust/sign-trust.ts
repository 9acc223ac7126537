// A trust file and a key -> the same file with one more signature. Whether there are enough is seen where it is accepted.
import { type TrustFile, trustFileText } from './read-trust-file.ts';
import type { SecretKey } from './secret-key.ts';
import { signContent } from './sign-content.ts';
import { signersOf } from './signers.ts';
import { verifySigned } from './verify-signed.ts';

export async function signTrustFile(
  { document, signedText, signatures }: TrustFile,
  key: SecretKey,
  nowMs: number,
): Promise<string> {
  const comment = `timestamp:${Math.floor(nowMs / 1_000)}\ttrust version:${document.version}`;
  const content = Buffer.from(signedText);
  const others: string[] = [];
  for (const text of signatures) {
    const own = await verifySigned(content, text, signersOf([key.public]), nowMs);
    if (!own.ok) others.push(text);
  }
  return trustFileText(signedText, [...others, await signContent(content, key, comment)]);
}
