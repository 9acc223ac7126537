// The trust document on the data partition -> who may sign plugins now. Read anew for each question: it may have been replaced.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { type BundleVerdict, verifyBundle } from '../bundle/verify-bundle.ts';
import { errorText } from '../lib/error-text.ts';
import { acceptFirstTrust } from '../trust/accept-trust.ts';
import { signersFor } from '../trust/signers-for.ts';

interface NoTrust {
  readonly ok: false;
  readonly code: string;
  readonly reason: string;
}

export interface PluginTrust {
  /** Another one whenever another document is in force. */
  key(): Promise<string>;
  verify(
    bundle: { readonly bytes: Uint8Array; readonly signatureText: string },
    nowMs: number,
  ): Promise<BundleVerdict | NoTrust>;
}

/** Without a document nothing is trusted, and nothing is installed. */
export function openPluginTrust(stateDir: string): PluginTrust {
  const file = path.join(stateDir, 'trust', 'trust.json');
  const read = async (): Promise<{ readonly ok: true; readonly text: string } | NoTrust> => {
    try {
      return { ok: true, text: await readFile(file, 'utf8') };
    } catch (cause) {
      const reason = `no publisher is trusted: ${file} cannot be read (${errorText(cause)}); the trust document comes with flashing or provisioning`;
      return { ok: false, code: 'trust.document-missing', reason };
    }
  };
  return {
    async key() {
      const found = await read();
      return found.ok ? createHash('sha256').update(found.text).digest('hex') : 'none';
    },
    async verify({ bytes, signatureText }, nowMs) {
      const found = await read();
      if (!found.ok) return found;
      const trusted = await acceptFirstTrust(found.text);
      if (!trusted.ok) return trusted;
      const signers = signersFor(trusted.document, 'publisher');
      if (!signers.ok) return signers;
      return verifyBundle(bytes, signatureText, signers.signers, nowMs);
    },
  };
}
