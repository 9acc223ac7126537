// Which package brought which file: looked up in the tree as one package after the other is unpacked. And how large each is in the root.
import { lstat, readdir } from 'node:fs/promises';
import path from 'node:path';

/** Path in the root -> name of the package. */
export type Owners = Readonly<Record<string, string>>;

export class OwnerList {
  readonly #root: string;
  readonly #owners: Record<string, string> = {};

  constructor(root: string) {
    this.#root = root;
  }

  /** What is new in the tree came with this package. */
  async add(name: string): Promise<void> {
    for (const file of await filesBelow(this.#root)) this.#owners[file] ??= name;
  }

  get owners(): Owners {
    return this.#owners;
  }
}

export interface PackageSize {
  readonly name: string;
  readonly bytes: number;
}

/** Bytes of the root by who brought them, largest first; `others` names what no package of the base did. */
export async function sizesByPackage(
  root: string,
  owners: Owners,
  others: (file: string) => string,
): Promise<readonly PackageSize[]> {
  const sizes = new Map<string, number>();
  const counted = new Set<number>();
  for (const file of await filesBelow(root)) {
    const { size, ino, nlink } = await lstat(path.join(root, file));
    // A file with several names takes its room once.
    if (nlink > 1 && counted.has(ino)) continue;
    counted.add(ino);
    const name = owners[file] ?? others(file);
    sizes.set(name, (sizes.get(name) ?? 0) + size);
  }
  return [...sizes].map(([name, bytes]) => ({ name, bytes })).sort((a, b) => b.bytes - a.bytes);
}

async function filesBelow(root: string): Promise<readonly string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)));
}
