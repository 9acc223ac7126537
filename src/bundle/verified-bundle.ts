import type { PluginManifest } from '../contracts/plugin-manifest.ts';

declare const verified: unique symbol;

export interface BundleContent {
  readonly manifest: PluginManifest;
  /** path -> bytes, without `manifest.json`, in the manifest's order. */
  readonly members: ReadonlyMap<string, Uint8Array>;
  /** Of the file, hexadecimal: the name of this very build, for caches and the registry. */
  readonly sha256: string;
  readonly fileBytes: number;
  /** Ids of the keys that signed, for showing. */
  readonly signedBy: readonly string[];
  readonly trustedComment: string;
}

/** What `verifyBundle` has passed, and nothing else can make: every byte here was signed by who may sign plugins. */
export type VerifiedBundle = BundleContent & { readonly [verified]: true };
