// Mirror, package lists and lock file -> the packages of an image, downloaded and verified, or one refusal and nothing in `archives`.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import alpine from '../packages/alpine.json' with { type: 'json' };
import { type IndexEntry, readIndex } from './alpine-index.ts';
import { type AlpineKey, trustedKeys } from './alpine-keys.ts';
import {
  type LockedPackage,
  type LockedPart,
  outdated,
  readLock,
  refuseChanged,
  writeLock,
} from './alpine-lock.ts';
import { type AlpineMirror, alpineMirror } from './alpine-mirror.ts';
import { choosePackages } from './apko.ts';
import type { Architecture } from './base-provider.ts';
import { verifyApk } from './verify-apk.ts';

export interface AlpinePackagesOptions {
  readonly mirror: string;
  /** Folder of keys to trust instead of the pinned ones. */
  readonly keys?: string | undefined;
  readonly architecture: Architecture;
  readonly lockFile: string;
  /** `pinned` takes what the lock file says; `refresh` chooses anew and writes it. */
  readonly locking: 'pinned' | 'refresh';
  readonly archives: string;
  readonly work: string;
}

/** Names as Alpine's repositories have them: `main`, `x86_64`. */
interface Wish extends IndexEntry {
  readonly repository: string;
  readonly part: LockedPart;
}

const parts = ['base', 'kernel', 'boot'] as const satisfies readonly LockedPart[];
const lists: Readonly<Record<LockedPart, readonly string[]>> = {
  base: Object.values(alpine.base).flat(),
  kernel: [...alpine.kernel.wanted, ...alpine.kernel.besides],
  boot: [...alpine.boot.wanted, ...alpine.boot.besides],
};

/** Of what the kernel and the boot loader bring along nothing else is wanted: it is there for their scripts. */
function isKept(part: LockedPart, name: string): boolean {
  return part === 'base' || alpine[part].wanted.includes(name);
}

export async function fetchAlpine(options: AlpinePackagesOptions): Promise<readonly LockedPackage[]> {
  const { architecture, lockFile, locking } = options;
  const wanted = { release: alpine.release, architecture: alpine.architectures[architecture], lists };
  const locked = locking === 'refresh' ? undefined : (await readLock(lockFile, wanted)).packages;
  const mirror = alpineMirror(options.mirror, path.join(options.work, 'mirror'));
  const keys = await trustedKeys(
    {
      chosen: options.keys,
      pins: alpine.keys[architecture],
      mirror,
      repository: folderOf('main', architecture),
    },
    path.join(options.work, 'keys'),
  );
  const wishes = await choose(options, { mirror, keys, locked });
  const gone = locked?.find(({ name }) => !wishes.some((wish) => wish.name === name));
  if (gone !== undefined) throw outdated(lockFile, `${gone.name} is in it and not needed any more`);

  const found: LockedPackage[] = [];
  for (const wish of wishes) found.push(await download(wish, { architecture, mirror, keys }));
  if (locked !== undefined) refuseChanged(found, locked, lockFile);
  await handOver(found, options, mirror);
  if (locking === 'refresh') await writeLock(lockFile, { ...wanted, packages: found });
  return found;
}

function folderOf(repository: string, architecture: Architecture): string {
  return `${alpine.release}/${repository}/${alpine.architectures[architecture]}`;
}

interface Trusted {
  readonly mirror: AlpineMirror;
  readonly keys: readonly AlpineKey[];
}

async function choose(
  { architecture, work }: AlpinePackagesOptions,
  { mirror, keys, locked }: Trusted & { readonly locked: readonly LockedPackage[] | undefined },
): Promise<readonly Wish[]> {
  const known = new Map<string, IndexEntry>();
  for (const repository of alpine.repositories) {
    const file = await mirror.copy(`${folderOf(repository, architecture)}/APKINDEX.tar.gz`);
    for (const entry of await readIndex(file))
      known.set(`${repository}/${entry.name}-${entry.version}`, entry);
  }
  const wishes: Wish[] = [];
  for (const part of parts) {
    const pinned = locked?.filter((entry) => entry.part === part) ?? [];
    const chosen = await choosePackages(
      {
        repositories: alpine.repositories.map((name) => path.join(mirror.folder, alpine.release, name)),
        keys,
        architecture: alpine.architectures[architecture],
        packages: [...lists[part], ...pinned.map(({ name, version }) => `${name}=${version}`)],
      },
      path.join(work, part),
    );
    for (const { name, version, source } of chosen) {
      // …/main/x86_64/name-version.apk
      const repository = source.split('/').at(-3) ?? '';
      const entry = known.get(`${repository}/${name}-${version}`);
      if (entry !== undefined && isKept(part, name)) wishes.push({ ...entry, repository, part });
    }
  }
  return wishes;
}

async function download(
  { name, version, repository, part, control }: Wish,
  { architecture, mirror, keys }: Trusted & { readonly architecture: Architecture },
): Promise<LockedPackage> {
  const file = `${name}-${version}.apk`;
  const at = `${folderOf(repository, architecture)}/${file}`;
  const kept = await wholeFile(path.join(mirror.folder, at), control, keys);
  const bytes = kept ?? (await readFile(await mirror.copy(at)));
  if (kept === undefined) verifyApk(file, bytes, control, keys);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { name, version, file, sizeBytes: bytes.length, sha256, part, repository };
}

/** What an earlier run left, if it is the package that the index means now. */
async function wholeFile(
  file: string,
  control: string,
  keys: readonly AlpineKey[],
): Promise<Buffer | undefined> {
  if (!existsSync(file)) return undefined;
  const bytes = await readFile(file);
  try {
    verifyApk(file, bytes, control, keys);
    return bytes;
  } catch {
    // Then it is downloaded again, and judged aloud.
    return undefined;
  }
}

/** Nothing appears in `archives` before all of it is there. */
async function handOver(
  packages: readonly LockedPackage[],
  { archives, architecture }: AlpinePackagesOptions,
  mirror: AlpineMirror,
): Promise<void> {
  const made = `${archives}.new`;
  await rm(made, { recursive: true, force: true });
  await mkdir(made, { recursive: true });
  for (const { file, repository } of packages)
    await copyFile(path.join(mirror.folder, folderOf(repository, architecture), file), path.join(made, file));
  await rm(archives, { recursive: true, force: true });
  await rename(made, archives);
}
