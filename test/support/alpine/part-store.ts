// Trees that are slow to make are made once and kept below .cache, outside the repository's history.
import { existsSync, globSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';

export const repositoryCache = path.resolve(import.meta.dirname, '../../../.cache/alpine-repository');

/** @param name with the version of what it holds: another name is made anew */
export async function keptPart(name: string, make: (folder: string) => Promise<void>): Promise<string> {
  const folder = path.join(repositoryCache, 'parts', name);
  if (existsSync(folder)) return folder;
  const made = `${folder}.new`;
  await rm(made, { recursive: true, force: true });
  await mkdir(made, { recursive: true });
  await make(made);
  // What was needed on the way lies beside the tree.
  for (const aside of globSync(`${made}.*`)) await rm(aside, { recursive: true });
  await rename(made, folder);
  return folder;
}
