// What the local control socket may ask about the trust document of the appliance.
import type { TrustDocument } from './trust-document.ts';

interface Refusal {
  readonly ok: false;
  readonly code: string;
  readonly reason: string;
}

export interface TrustControl {
  inForce(): Promise<
    { readonly ok: true; readonly document: TrustDocument; readonly text: string } | Refusal
  >;
  /**
   * Takes over the next version, or with `first` a first one where there is none. When it resolves, plugins that are not trusted any
   * more have stopped. `isNew` false: this very text was in force.
   */
  take(
    text: string,
    options: { readonly first: boolean },
  ): Promise<
    | { readonly ok: true; readonly version: number; readonly before: number | null; readonly isNew: boolean }
    | Refusal
  >;
}
