// Takes away what an appliance must not have: set-user-id programs, files the world may write, ways to log in or to install.
// Then counts, and refuses a root that has a compiler or a package manager all the same.
import { chmod, lstat, readdir, readlink, rm } from 'node:fs/promises';
import path from 'node:path';
import { placesOf } from '../build.ts';
import { ImageError } from '../image-error.ts';
import type { Step } from '../step.ts';
import unwanted from '../unwanted-programs.json' with { type: 'json' };

const programFolders = ['usr/bin', 'usr/sbin', 'usr/local/bin'];

export const harden: Step = {
  name: '60-harden',
  place: 'out',
  inputs: () => ['image/steps/60-harden.ts', 'image/unwanted-programs.json'],
  outputs: () => [],
  async run(build) {
    const { root } = placesOf(build);
    await dropApplets(root);
    await refusePrograms(root);
    let files = 0;
    let setId = 0;
    for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const file = path.join(entry.parentPath, entry.name);
      const { mode } = await lstat(file);
      const allowed = mode & 0o755;
      if ((mode & 0o7777) !== allowed) await chmod(file, allowed);
      files += 1;
      if (((await lstat(file)).mode & 0o6000) !== 0) setId += 1;
    }
    build.report(`60-harden: ${files} files, ${setId} of them set-user-id or set-group-id`);
    if (setId > 0)
      throw new ImageError(
        'image.unwanted',
        `harden the root: ${setId} files stayed set-user-id; build on a file system that keeps modes`,
      );
  },
};

/** Links to busybox that would let somebody in, or something out. */
async function dropApplets(root: string): Promise<void> {
  for (const folder of programFolders)
    for (const name of unwanted.applets) {
      const file = path.join(root, folder, name);
      const target = await readlink(file).catch(() => undefined);
      if (target !== undefined && path.basename(target) === 'busybox') await rm(file);
    }
}

async function refusePrograms(root: string): Promise<void> {
  const found: string[] = [];
  for (const folder of programFolders) {
    const present = await readdir(path.join(root, folder)).catch(() => []);
    found.push(
      ...present.filter((name) => unwanted.programs.includes(name)).map((name) => `/${folder}/${name}`),
    );
  }
  if (found.length > 0)
    throw new ImageError(
      'image.unwanted',
      `harden the root: it has ${found.join(', ')}; take the package off the list or the file out in unneeded.json`,
    );
}
