// A stored bundle -> its manifest and a folder with its unpacked members, once for each build and trust: what was found good is
// looked up by content hash. The folder is on tmpfs and made from verified bytes, so what runs is what was signed.
import { createHash } from 'node:crypto';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { VerifiedBundle } from '../../bundle/verified-bundle.ts';
import type { BundleVerdict } from '../../bundle/verify-bundle.ts';
import type { PluginManifest } from '../../contracts/plugin-manifest.ts';
import type { StoredBundle } from './open-registry.ts';

export type Verify = (bundle: StoredBundle, nowMs: number) => Promise<BundleVerdict | TrustMissing>;

/** No trust document, or one that cannot be used: nothing may run. */
export interface TrustMissing {
  readonly ok: false;
  readonly code: string;
  readonly reason: string;
}

export interface Validated {
  readonly manifest: PluginManifest;
  readonly sha256: string;
  readonly signedBy: readonly string[];
  /** Unpacked members. */
  readonly dir: string;
}

export type Validation =
  | { readonly ok: true; readonly validated: Validated }
  | { readonly ok: false; readonly code: string; readonly reason: string };

export interface ValidatedBundles {
  validate(bundle: StoredBundle, signedAtMs: number): Promise<Validation>;
  /** Of a build that does not run any more. */
  forget(sha256: string): Promise<void>;
  readonly hits: number;
  readonly misses: number;
}

/** @param trustKey changes with the trust document: what an older one allowed counts no longer. */
export async function openValidatedBundles(options: {
  readonly dir: string;
  readonly verify: Verify;
  readonly trustKey: () => Promise<string>;
}): Promise<ValidatedBundles> {
  const { dir, trustKey, verify } = options;
  // Left by a run before this one: who wrote it is not known.
  await rm(dir, { recursive: true, force: true });
  await mkdir(dir, { recursive: true, mode: 0o755 });
  const known = new Map<string, Validated>();
  let hits = 0;
  let misses = 0;
  return {
    get hits() {
      return hits;
    },
    get misses() {
      return misses;
    },
    async validate(bundle, signedAtMs) {
      const sha256 = createHash('sha256').update(bundle.bytes).digest('hex');
      const key = `${sha256}:${await trustKey()}:${signedAtMs}`;
      const found = known.get(key);
      if (found !== undefined) {
        hits += 1;
        return { ok: true, validated: found };
      }
      misses += 1;
      const verdict = await verify(bundle, signedAtMs);
      if (!verdict.ok) return { ok: false, code: verdict.code, reason: verdict.reason };
      const { manifest, signedBy } = verdict.bundle;
      const validated = { manifest, sha256, signedBy, dir: await unpack(verdict.bundle, dir) };
      known.set(key, validated);
      return { ok: true, validated };
    },
    async forget(sha256) {
      for (const [key, validated] of known) {
        if (validated.sha256 !== sha256) continue;
        known.delete(key);
        await rm(validated.dir, { recursive: true, force: true });
      }
    },
  };
}

async function unpack({ manifest, members, sha256 }: VerifiedBundle, parent: string): Promise<string> {
  const dir = path.join(parent, `${manifest.name}-${sha256}`);
  const fresh = `${dir}.new`;
  await rm(fresh, { recursive: true, force: true });
  for (const [member, bytes] of members) {
    const file = path.join(fresh, member);
    await mkdir(path.dirname(file), { recursive: true, mode: 0o755 });
    await writeFile(file, bytes, { mode: 0o444 });
  }
  if ((await readdir(parent)).includes(path.basename(dir))) await rm(dir, { recursive: true, force: true });
  await rename(fresh, dir);
  return dir;
}
