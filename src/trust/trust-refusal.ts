// Every way in which a signature, a key or a trust document is refused. Codes are stable: logs, events and scripts use them.

export type TrustCode =
  | 'trust.key-malformed'
  | 'trust.key-password'
  | 'trust.key-too-costly'
  | 'trust.signature-malformed'
  | 'trust.signature-algorithm'
  | 'trust.unknown-key'
  | 'trust.key-revoked'
  | 'trust.bad-signature'
  | 'trust.bad-comment'
  | 'trust.key-not-valid'
  | 'trust.too-few-signatures'
  | 'trust.content-revoked'
  | 'trust.role-missing'
  | 'trust.document-missing'
  | 'trust.document-present'
  | 'trust.document-malformed'
  | 'trust.document-invalid'
  | 'trust.document-expired'
  | 'trust.document-version'
  | 'trust.revocation-lost';

export interface TrustRefusal {
  readonly ok: false;
  readonly code: TrustCode;
  /** Action, reason, current value; and the remedy where a person can act. */
  readonly reason: string;
}

export function refuse(code: TrustCode, reason: string): TrustRefusal {
  return { ok: false, code, reason };
}
