// A request's id, time and body -> the value of `webhook-signature`, as Standard Webhooks 1.0 (section "Signature scheme") say. Pure.
import { createHmac } from 'node:crypto';

export interface SignedParts {
  /** The same at every attempt; without a full stop, which parts it from the rest. */
  readonly id: string;
  /** Of this attempt. */
  readonly timestampSeconds: number;
  readonly body: Buffer;
}

/** One signature for each secret (`whsec_` and base64), parted by spaces: a receiver knows at least one of them. */
export function signWebhook({ id, timestampSeconds, body }: SignedParts, secrets: readonly string[]): string {
  return secrets
    .map((secret) => {
      const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
      const digest = createHmac('sha256', key).update(`${id}.${timestampSeconds}.`).update(body);
      return `v1,${digest.digest('base64')}`;
    })
    .join(' ');
}
