// The lock file of one release and architecture: which packages, in which version, with which bytes. A build takes these and no others.
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ImageError } from '../image-error.ts';
import type { ResolvedPackage } from './base-provider.ts';

export interface AlpineLock {
  readonly release: string;
  readonly architecture: string;
  /** What the packages were chosen for: another list needs another lock. */
  readonly lists: Readonly<Record<LockedPart, readonly string[]>>;
  readonly packages: readonly LockedPackage[];
}

export type LockedPart = ResolvedPackage['part'];

export interface LockedPackage extends Omit<ResolvedPackage, 'only'> {
  readonly repository: string;
}

/** `image/packages/alpine-v3.23-x86_64.lock.json` */
export function lockFileOf(release: string, architecture: string): string {
  return path.resolve(import.meta.dirname, `../packages/alpine-${release}-${architecture}.lock.json`);
}

export async function readLock(
  file: string,
  wanted: Pick<AlpineLock, 'release' | 'architecture' | 'lists'>,
): Promise<AlpineLock> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new ImageError(
      'image.lock-missing',
      `read the lock file ${file}: there is none; run npm run image -- lock --base alpine once with a mirror that can be reached, look at what it chose, and keep the file`,
      { cause },
    );
  }
  // Written by `writeLock`; everything in it is compared with what the mirror has.
  const lock = JSON.parse(text) as AlpineLock;
  const told = ({ release, architecture, lists }: typeof wanted) =>
    JSON.stringify({ release, architecture, lists });
  if (told(lock) === told(wanted)) return lock;
  throw outdated(file, 'it was made for other package lists than image/packages/alpine.json has');
}

export async function writeLock(file: string, lock: AlpineLock): Promise<void> {
  const { release, architecture, lists, packages } = lock;
  await writeFile(file, `${JSON.stringify({ release, architecture, lists, packages }, null, 2)}\n`);
}

export function outdated(file: string, reason: string): ImageError {
  return new ImageError(
    'image.lock-outdated',
    `use the lock file ${file}: ${reason}; run npm run image -- lock --base alpine`,
  );
}

/** Refuses packages that are signed and whole, and yet others than were locked. */
export function refuseChanged(
  packages: readonly LockedPackage[],
  locked: readonly LockedPackage[],
  file: string,
): void {
  for (const found of packages) {
    const expected = locked.find(({ name }) => name === found.name);
    if (expected === undefined)
      throw outdated(file, `${found.name} ${found.version} is needed now and is not in it`);
    if (found.sha256 === expected.sha256 && found.sizeBytes === expected.sizeBytes) continue;
    throw new ImageError(
      'image.package-changed',
      `compare ${found.file} with ${path.basename(file)}: its SHA-256 is ${found.sha256}, locked is ${expected.sha256}; ` +
        'find out why the mirror has other bytes for the same version before you run npm run image -- lock',
    );
  }
}
