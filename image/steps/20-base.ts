// Unpacks the base's packages into an empty tree and drops what nobody reads on an appliance.
import { glob, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type Build, placesOf } from '../build.ts';
import { OwnerList } from '../owners-of-files.ts';
import { readResolved } from '../resolved-packages.ts';
import { runCommand } from '../run-command.ts';
import type { Step } from '../step.ts';
import unneeded from '../unneeded.json' with { type: 'json' };

/** Mount points and folders that no package brings. */
const folders = ['dev', 'etc', 'proc', 'run', 'sys', 'tmp', 'root', 'mnt', 'var/tmp', 'var/lib', 'var/log'];

export const base: Step = {
  name: '20-base',
  place: 'cache',
  inputs: () => ['image/steps/20-base.ts', 'image/owners-of-files.ts', 'image/unneeded.json'],
  outputs: (build) => [placesOf(build).baseRoot, placesOf(build).owners],
  async run(build) {
    const { baseRoot, archives, owners } = placesOf(build);
    await rm(baseRoot, { recursive: true, force: true });
    await build.base.prepareRoot(baseRoot);
    for (const folder of folders) await mkdir(path.join(baseRoot, folder), { recursive: true });
    const list = new OwnerList(baseRoot);
    for (const { name, file, part, only } of await readResolved(build))
      if (part === 'base') {
        const archive = path.join(archives, file);
        if (only === undefined) await build.base.unpack(archive, baseRoot);
        else await unpackOnly(build, { archive, only });
        await list.add(name);
      }
    await writeFile(owners, JSON.stringify(list.owners));
    for (const pattern of unneeded)
      for await (const found of glob(pattern, { cwd: baseRoot }))
        await rm(path.join(baseRoot, found), { recursive: true, force: true });
    await linkBusybox(build.base.runFromRoot(baseRoot, 'usr/bin/busybox', ['--list-full']), baseRoot);
  },
};

/** Some packages bring dozens of programs of which the appliance runs one. */
async function unpackOnly(
  build: Build,
  wanted: { readonly archive: string; readonly only: readonly string[] },
) {
  const aside = path.join(build.cache, 'aside');
  await rm(aside, { recursive: true, force: true });
  await mkdir(aside, { recursive: true });
  await build.base.unpack(wanted.archive, aside);
  await runCommand('cp', ['-a', '--parents', ...wanted.only, placesOf(build).baseRoot], {
    cwd: aside,
    remedy: 'correct "only" in the base\'s package list',
  });
  await rm(aside, { recursive: true });
}

/** One link for each applet; a program that a package brought is kept. */
async function linkBusybox(list: Promise<string>, root: string): Promise<void> {
  for (const applet of (await list).split('\n').filter((line) => line !== '')) {
    const link = path.join(root, applet.startsWith('usr/') ? applet : `usr/${applet}`);
    await mkdir(path.dirname(link), { recursive: true });
    try {
      await symlink('/usr/bin/busybox', link);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}
