// Busybox, its libraries, the few modules that reach the root file system, and our /init, as one cpio archive.
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type Build, placesOf } from '../build.ts';
import { type CpioEntry, toCpio } from '../cpio.ts';
import { librariesOf } from '../libraries-of.ts';
import type { Step } from '../step.ts';

export const initramfs: Step = {
  name: '40-initramfs',
  place: 'cache',
  inputs: () => [
    'image/steps/40-initramfs.ts',
    'image/cpio.ts',
    'image/libraries-of.ts',
    'image/initramfs/*',
  ],
  outputs: (build) => [placesOf(build).initramfs],
  async run(build) {
    const entries = [...folders, console_, ...(await programs(build)), ...(await modules(build))];
    await writeFile(placesOf(build).initramfs, toCpio(entries));
  },
};

const folders: readonly CpioEntry[] = [
  ...[
    'dev',
    'proc',
    'sys',
    'run',
    'lower',
    'upper',
    'root',
    'usr',
    'usr/bin',
    'usr/lib',
    'modules',
    'modules/disks',
    'modules/sticks',
  ],
].map((name) => ({ path: name, kind: 'folder' }));

/** The kernel opens it for /init before devtmpfs is mounted. */
const console_: CpioEntry = { path: 'dev/console', kind: 'character', major: 5, minor: 1 };

async function programs(build: Build): Promise<readonly CpioEntry[]> {
  const { baseRoot } = placesOf(build);
  const init = await readFile(path.join(build.repository, 'image/initramfs/init'));
  const busybox = 'usr/bin/busybox';
  const { files, loader } = librariesOf(baseRoot, busybox, build.base.libraryFolders);
  const elf = async (to: string, from: string): Promise<CpioEntry> => ({
    path: to,
    kind: 'file',
    mode: 0o755,
    bytes: await readFile(path.join(baseRoot, from)),
  });
  return [
    { path: 'init', kind: 'file', mode: 0o755, bytes: init },
    ...['bin', 'sbin'].map((name): CpioEntry => ({ path: name, kind: 'link', target: 'usr/bin' })),
    ...['lib', 'lib64'].map((name): CpioEntry => ({ path: name, kind: 'link', target: 'usr/lib' })),
    { path: 'usr/bin/sh', kind: 'link', target: 'busybox' },
    await elf(busybox, busybox),
    ...(await Promise.all(files.map((file) => elf(`usr/lib/${path.basename(file)}`, file)))),
    ...(loader === undefined ? [] : [await elf(`usr/lib/${path.basename(loader)}`, loader)]),
  ];
}

async function modules(build: Build): Promise<readonly CpioEntry[]> {
  const home = placesOf(build).modules;
  const { release, disks, sticks } = JSON.parse(
    await readFile(path.join(home, 'initramfs-order.json'), 'utf8'),
  ) as Readonly<Record<'disks' | 'sticks', readonly string[]>> & { readonly release: string };
  const entries: CpioEntry[] = [];
  const late = new Set(sticks.filter((file) => !disks.includes(file)));
  for (const [index, file] of [...disks, ...late].entries()) {
    const folder = late.has(file) ? 'sticks' : 'disks';
    const name = `modules/${folder}/${String(index).padStart(2, '0')}-${path.basename(file)}`;
    const bytes = await readFile(path.join(home, 'lib/modules', release, file));
    entries.push({ path: name, kind: 'file', mode: 0o644, bytes });
  }
  return entries;
}
