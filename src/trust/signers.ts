// Who may sign for one role, ready to check: from a trust document (`signers-for.ts`), or from keys named on a command line.
import type { PublicKey } from './public-key.ts';

export interface SignerKey {
  readonly key: PublicKey;
  readonly validFromMs: number;
  readonly validUntilMs: number;
}

export interface Signers {
  /** For messages: `publisher`. */
  readonly role: string;
  /** So many different keys must have signed: their bytes are counted, not their ids. */
  readonly threshold: number;
  readonly keys: readonly SignerKey[];
  readonly revokedKeys: readonly PublicKey[];
  /** SHA-256, hexadecimal, of what must never be accepted again whoever signed it. */
  readonly revokedContent: ReadonlySet<string>;
  /** After this nothing is accepted: somebody may be keeping newer documents from us. */
  readonly expiresMs: number;
}

/** All of these keys must have signed, whenever that was. */
export function signersOf(keys: readonly PublicKey[]): Signers {
  return {
    role: 'given key',
    threshold: keys.length,
    keys: keys.map((key) => ({ key, validFromMs: -Infinity, validUntilMs: Infinity })),
    revokedKeys: [],
    revokedContent: new Set(),
    expiresMs: Infinity,
  };
}
