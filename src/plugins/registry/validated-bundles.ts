// A stored bundle -> its manifest and a folder with its unpacked members. Both are kept by content hash: the verdict until something
// else is trusted, the folder for as long as it is wanted. The folder is on tmpfs and made from verified bytes, so what runs is what
// was signed.
import { createHash } from 'node:crypto';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { VerifiedBundle } from '../../bundle/verified-bundle.ts';
import type { BundleVerdict } from '../../bundle/verify-bundle.ts';
import type { PluginManifest } from '../../contracts/plugin-manifest.ts';
import { PluginError } from '../plugin-error.ts';
import type { StoredBundle } from './open-registry.ts';

/** It is memory of the machine that no plugin's limit counts. */
const MOST_UNPACKED_BYTES = 268_435_456;
const MIB = 1024 * 1024;

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
  /** @throws PluginError `plugins.no-room`, or the error of the file system; nothing is left of it then. */
  validate(bundle: StoredBundle, signedAtMs: number): Promise<Validation>;
  /** Forgets all builds of this plugin but these; none of the others may be running. */
  keepOnly(name: string, hashes: readonly string[]): Promise<void>;
  readonly hits: number;
  readonly misses: number;
}

/** INVARIANT: a folder is written once, before anything runs in it, and never touched again until it is forgotten. */
interface Build {
  /** What its verdict rests on: signature, trust, moment. */
  readonly basis: string;
  readonly validated: Validated;
  readonly bytes: number;
}

/** @param trustKey changes with the trust document: what an older one allowed counts no longer. */
export async function openValidatedBundles(options: {
  readonly dir: string;
  readonly verify: Verify;
  readonly trustKey: () => Promise<string>;
  readonly mostUnpackedBytes?: number;
}): Promise<ValidatedBundles> {
  const { dir, mostUnpackedBytes = MOST_UNPACKED_BYTES, trustKey, verify } = options;
  // Left by a run before this one: who wrote it is not known.
  await rm(dir, { recursive: true, force: true });
  await mkdir(dir, { recursive: true, mode: 0o755 });
  const known = new Map<string, Build>();
  const lanes = new Map<string, Promise<unknown>>();
  let usedBytes = 0;
  let hits = 0;
  let misses = 0;

  /** One after the other for each build. */
  const inLane = async <T>(sha256: string, work: () => Promise<T>): Promise<T> => {
    const done = (lanes.get(sha256) ?? Promise.resolve()).then(work);
    const settled = done.then(
      () => undefined,
      () => undefined,
    );
    lanes.set(sha256, settled);
    try {
      return await done;
    } finally {
      if (lanes.get(sha256) === settled) lanes.delete(sha256);
    }
  };

  const unpack = async (bundle: VerifiedBundle) => {
    const bytes = [...bundle.members.values()].reduce((sum, member) => sum + member.length, 0);
    if (usedBytes + bytes > mostUnpackedBytes)
      throw new PluginError(
        'plugins.no-room',
        `unpack ${bundle.manifest.name}: its ${toMib(bytes)} MiB and the ${toMib(usedBytes)} of what is installed are more than ${toMib(mostUnpackedBytes)}; remove a plugin`,
      );
    usedBytes += bytes;
    try {
      return { dir: await writeMembers(bundle, dir), bytes };
    } catch (cause) {
      usedBytes -= bytes;
      throw cause;
    }
  };

  return {
    get hits() {
      return hits;
    },
    get misses() {
      return misses;
    },
    validate(bundle, signedAtMs) {
      const sha256 = sha256Of(bundle.bytes);
      return inLane(sha256, async () => {
        const basis = `${sha256Of(bundle.signatureText)}:${await trustKey()}:${signedAtMs}`;
        const found = known.get(sha256);
        if (found?.basis === basis) {
          hits += 1;
          return { ok: true, validated: found.validated };
        }
        misses += 1;
        const verdict = await verify(bundle, signedAtMs);
        if (!verdict.ok) return { ok: false, code: verdict.code, reason: verdict.reason };
        const { manifest, signedBy } = verdict.bundle;
        // The same bytes make the same folder, and one that is there may be running.
        const unpacked =
          found === undefined
            ? await unpack(verdict.bundle)
            : { dir: found.validated.dir, bytes: found.bytes };
        const validated = { manifest, sha256, signedBy, dir: unpacked.dir };
        known.set(sha256, { basis, validated, bytes: unpacked.bytes });
        return { ok: true, validated };
      });
    },
    async keepOnly(name, hashes) {
      for (const { validated } of [...known.values()]) {
        const { dir: unpacked, manifest, sha256 } = validated;
        if (manifest.name !== name || hashes.includes(sha256)) continue;
        await inLane(sha256, async () => {
          const { bytes = 0 } = known.get(sha256) ?? {};
          known.delete(sha256);
          await rm(unpacked, { recursive: true, force: true });
          usedBytes -= bytes;
        });
      }
    },
  };
}

async function writeMembers({ manifest, members, sha256 }: VerifiedBundle, parent: string): Promise<string> {
  const dir = path.join(parent, `${manifest.name}-${sha256}`);
  const fresh = `${dir}.new`;
  try {
    // Left where an earlier try or its removal failed: what runs is known, and comes not here.
    for (const left of [fresh, dir]) await rm(left, { recursive: true, force: true });
    for (const [member, bytes] of members) {
      const file = path.join(fresh, member);
      await mkdir(path.dirname(file), { recursive: true, mode: 0o755 });
      await writeFile(file, bytes, { mode: 0o444 });
    }
    await rename(fresh, dir);
  } catch (cause) {
    // Why it failed is what is told; where it cannot be removed either, it could not be made.
    await rm(fresh, { recursive: true, force: true }).catch(() => undefined);
    throw cause;
  }
  return dir;
}

function sha256Of(content: Uint8Array | string): string {
  return createHash('sha256').update(content).digest('hex');
}

function toMib(bytes: number): number {
  return Math.ceil(bytes / MIB);
}
