// The packages of the test repository: named and related as Alpine's, with what runs under musl where it can be had.
import { chmod, copyFile, cp, glob, mkdir, rename, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { runCommand } from '../../../image/run-command.ts';
import { openDebianArchive } from './debian-archive.ts';
import { type CornerProgram, cornerPrograms, glibcCorner } from './glibc-corner.ts';
import type { PackageInfo, SigningKey } from './make-apk.ts';
import { muslBubblewrap, muslBusybox, muslKmod, muslRedis } from './musl-programs.ts';
import { muslNode, nodeVersion } from './node-wheel.ts';
import { keptPart, repositoryCache } from './part-store.ts';

export interface RepositoryPart {
  readonly repository: 'main' | 'community';
  readonly info: PackageInfo;
  /** undefined: a package without files */
  readonly tree: string | undefined;
}

const remedy =
  'a Debian package has other files than expected; correct test/support/alpine/repository-parts.ts';
const corner = 'glibc-corner';
type More = Partial<Pick<PackageInfo, 'depends' | 'provides'>> & Partial<Pick<RepositoryPart, 'repository'>>;

export async function repositoryParts(key: SigningKey): Promise<readonly RepositoryPart[]> {
  const debian = await openDebianArchive();
  const node = await muslNode();
  const glibc = await glibcCorner(debian);
  const boot = await bootLoader(debian);
  return [
    part('musl', '1.2.5-r0', await musl(debian), { provides: ['so:libc.musl-x86_64.so.1=1'] }),
    part('busybox', '1.37.0-r0', await muslBusybox(debian), { depends: ['musl'] }),
    part('libgcc', '14.2.0-r0', node.libgcc, { depends: ['musl'] }),
    part('libstdc++', '14.2.0-r0', node.libstdcxx, { depends: ['musl', 'libgcc'] }),
    part('nodejs', `${nodeVersion}-r0`, node.nodejs, { depends: ['libstdc++'] }),
    part('redis', '8.0.2-r0', await muslRedis(debian), { depends: ['libstdc++'], repository: 'community' }),
    part('kmod', '34.2-r0', await muslKmod(debian), { depends: ['so:libc.musl-x86_64.so.1'] }),
    part('bubblewrap', '0.12.0-r0', await muslBubblewrap(debian), { depends: ['musl'] }),
    part(corner, '2.41-r0', glibc.libraries),
    ...cornerPrograms.map((name: CornerProgram) =>
      part(name, '1.0-r0', glibc.programs[name], { depends: [corner] }),
    ),
    part('linux-lts', '6.12.0-r0', await kernel(debian), {
      depends: ['linux-firmware-any', 'initramfs-generator'],
    }),
    part('linux-firmware-none', '0-r1', undefined, { provides: ['linux-firmware-any=0'] }),
    part('mkinitfs', '3.12-r0', undefined, { provides: ['initramfs-generator=0'] }),
    part('systemd-boot', '257-r0', boot.loader),
    part('systemd-efistub', '257-r0', boot.stub),
    part('alpine-keys', '2.5-r0', await keysTree(key)),
  ];
}

function part(name: string, version: string, tree: string | undefined, more: More = {}): RepositoryPart {
  const { repository = 'main', ...relations } = more;
  const info = {
    name,
    version,
    architecture: 'x86_64',
    description: `${name} of the test repository`,
    license: 'MIT',
    ...relations,
  };
  return { repository, info, tree };
}

type Debian = Awaited<ReturnType<typeof openDebianArchive>>;

/** As in Alpine: the loader is the library, and the library's name is a link to it. */
async function musl(debian: Debian): Promise<string> {
  return keptPart('musl-1.2.5', async (tree) => {
    const unpacked = `${tree}.debian`;
    await debian.unpack(['musl'], unpacked);
    await mkdir(path.join(tree, 'lib'));
    const loader = path.join(tree, 'lib/ld-musl-x86_64.so.1');
    await copyFile(path.join(unpacked, 'usr/lib/x86_64-linux-musl/libc.so'), loader);
    await chmod(loader, 0o755);
    // Programs made with Debian's compiler ask for `libc.so`, those of Alpine for the other name.
    for (const name of ['libc.musl-x86_64.so.1', 'libc.so'])
      await symlink('ld-musl-x86_64.so.1', path.join(tree, 'lib', name));
  });
}

async function kernel(debian: Debian): Promise<string> {
  return keptPart('linux-lts-1', async (tree) => {
    const name = (await debian.apt.dependsOf('linux-image-amd64')).find((entry) =>
      entry.startsWith('linux-image-'),
    );
    const unpacked = `${tree}.debian`;
    await debian.unpack([name ?? 'linux-image-amd64'], unpacked);
    await mkdir(path.join(tree, 'boot'));
    for await (const file of glob('boot/vmlinuz-*', { cwd: unpacked }))
      await copyFile(path.join(unpacked, file), path.join(tree, 'boot/vmlinuz-lts'));
    await mkdir(path.join(tree, 'lib'));
    await rename(path.join(unpacked, 'usr/lib/modules'), path.join(tree, 'lib/modules'));
  });
}

async function bootLoader(debian: Debian) {
  const folder = await keptPart('systemd-boot-1', async (made) => {
    const unpacked = `${made}.debian`;
    await debian.unpack(['systemd-boot-efi'], unpacked);
    const home = 'usr/lib/systemd/boot/efi';
    for (const [tree, pattern] of [
      ['loader', `${home}/systemd-boot*.efi`],
      ['stub', `${home}/linux*.efi.stub`],
    ] as const) {
      await mkdir(path.join(made, tree, home), { recursive: true });
      for await (const file of glob(pattern, { cwd: unpacked }))
        await cp(path.join(unpacked, file), path.join(made, tree, file));
    }
  });
  return { loader: path.join(folder, 'loader'), stub: path.join(folder, 'stub') };
}

async function keysTree(key: SigningKey): Promise<string> {
  const tree = path.join(repositoryCache, 'keys-package');
  const folder = path.join(tree, 'usr/share/apk/keys');
  await runCommand('rm', ['-rf', tree], { remedy });
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, key.name), key.publicPem);
  return tree;
}
