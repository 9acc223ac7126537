// The trust document in force -> who may sign plugins now; and its hand-over to the next version, asked for at the control socket.
import { createHash } from 'node:crypto';
import { type BundleVerdict, verifyBundle } from '../bundle/verify-bundle.ts';
import type { TrustControl } from '../contracts/trust-control.ts';
import { AppError } from '../lib/app-error.ts';
import { planTrust, putTrustInForce, readTrustInForce } from '../operate/trust-in-force.ts';
import { signersFor } from '../trust/signers-for.ts';

interface Refusal {
  readonly ok: false;
  readonly code: string;
  readonly reason: string;
}

export interface PluginTrust {
  /** Another one whenever another document is in force. */
  key(): Promise<string>;
  /** When the document was issued: it is no earlier than that. 0 without one. */
  provenMs(): Promise<number>;
  verify(
    bundle: { readonly bytes: Uint8Array; readonly signatureText: string },
    nowMs: number,
  ): Promise<BundleVerdict | Refusal>;
  readonly control: TrustControl;
}

/**
 * Without a document nothing is trusted, and nothing is installed. `onTaken` is waited for before who asked gets his answer: by then
 * nothing runs any more that is not trusted.
 */
export function openPluginTrust(
  stateDir: string,
  onTaken: (taken: { readonly version: number; readonly before: number | null }) => Promise<void>,
): PluginTrust {
  // Read anew for each question: provisioning may have replaced it.
  const read = () => readTrustInForce(stateDir).catch(toRefusal);
  let lane: Promise<unknown> = Promise.resolve();
  const take = async (text: string, first: boolean) => {
    const plan = await planTrust(stateDir, text, { first });
    if (!plan.ok) return plan;
    const { before, document, isNew } = plan;
    if (isNew) {
      await putTrustInForce(stateDir, text);
      await onTaken({ version: document.version, before });
    }
    return { ok: true, version: document.version, before, isNew } as const;
  };
  return {
    async key() {
      const found = await read();
      return found.ok ? createHash('sha256').update(found.text).digest('hex') : 'none';
    },
    async provenMs() {
      const found = await read();
      return found.ok ? Date.parse(found.document.issued) : 0;
    },
    async verify({ bytes, signatureText }, nowMs) {
      const found = await read();
      if (!found.ok) return found;
      const signers = signersFor(found.document, 'publisher');
      if (!signers.ok) return signers;
      return verifyBundle(bytes, signatureText, signers.signers, nowMs);
    },
    control: {
      inForce: read,
      // One after the other: two documents that both follow the one in force do not both count.
      take(text, { first }) {
        const taken = lane.then(() => take(text, first)).catch(toRefusal);
        // What failed was told to who asked for it, and stops nobody after him.
        lane = taken.catch(() => undefined);
        return taken;
      },
    },
  };
}

function toRefusal(cause: unknown): Refusal {
  if (!(cause instanceof AppError)) throw cause;
  return { ok: false, code: cause.code, reason: cause.message };
}
