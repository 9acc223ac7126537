// What cannot be had for musl here (OpenRC, udevd, nftables, e2fsprogs, a few of util-linux) as Debian's glibc programs: glibc and all
// libraries stay below /usr/lib/x86_64-linux-gnu, where musl's loader does not look.
import { glob, mkdir, symlink } from 'node:fs/promises';
import path from 'node:path';
import { runCommand } from '../../../image/run-command.ts';
import type { DebianArchive } from './debian-archive.ts';
import { keptPart } from './part-store.ts';

const remedy = 'a Debian package has other files than expected; correct test/support/alpine/glibc-corner.ts';

/** Alpine's package -> Debian's package and the files taken from it. */
const programs = {
  openrc: ['openrc', ['etc/{rc.conf,pam.d}', 'usr/lib/rc', 'usr/sbin/*', 'usr/bin/rc-status']],
  eudev: ['udev', ['usr/bin/{udevadm,systemd-hwdb}', 'usr/lib/udev']],
  chrony: ['chrony', ['usr/bin/chronyc', 'usr/sbin/chronyd']],
  nftables: ['nftables', ['usr/sbin/nft']],
  e2fsprogs: ['e2fsprogs', ['usr/sbin/{e2fsck,fsck.ext4,mke2fs,mkfs.ext4}', 'etc/mke2fs.conf']],
  'e2fsprogs-extra': ['e2fsprogs', ['usr/sbin/{dumpe2fs,resize2fs,tune2fs}']],
  partx: ['util-linux', ['usr/bin/partx']],
  setpriv: ['util-linux', ['usr/bin/setpriv']],
  sfdisk: ['fdisk', ['usr/sbin/sfdisk']],
} as const satisfies Readonly<Record<string, readonly [string, readonly string[]]>>;

export type CornerProgram = keyof typeof programs;
export const cornerPrograms = Object.keys(programs) as readonly CornerProgram[];

export interface GlibcCorner {
  readonly libraries: string;
  readonly programs: Readonly<Record<CornerProgram, string>>;
}

export async function glibcCorner(debian: DebianArchive): Promise<GlibcCorner> {
  const folder = await keptPart('glibc-corner-2', async (made) => {
    const names = [...new Set(Object.values(programs).map(([name]) => name)), 'libpam-modules'];
    const closure = await debian.apt.closureOf(names);
    const all = `${made}.libraries`;
    await debian.unpack(
      closure.map(({ name }) => name).filter((name) => name.startsWith('lib') || name === 'zlib1g'),
      all,
    );
    const libraries = 'usr/lib/x86_64-linux-gnu';
    await take(
      all,
      [`${libraries}/*.so*`, `${libraries}/{security,systemd}`, 'usr/lib64'],
      path.join(made, 'libraries'),
    );
    for (const [name, [from, patterns]] of Object.entries(programs)) {
      const unpacked = `${made}.${from}`;
      await debian.unpack([from], unpacked);
      await take(unpacked, patterns, path.join(made, name));
    }
    // OpenRC of Debian asks PAM and insserv, which the builder's base `debian` answers with these files.
    await runCommand('cp', ['-r', 'image/base/debian-layer/.', path.join(made, 'openrc')], { remedy });
    await mkdir(path.join(made, 'eudev/usr/sbin'), { recursive: true });
    await symlink('../bin/udevadm', path.join(made, 'eudev/usr/sbin/udevd'));
  });
  const tree = (name: string) => path.join(folder, name);
  return {
    libraries: tree('libraries'),
    programs: Object.fromEntries(cornerPrograms.map((name) => [name, tree(name)])) as Record<
      CornerProgram,
      string
    >,
  };
}

async function take(from: string, patterns: readonly string[], to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  const found: string[] = [];
  for (const pattern of patterns) for await (const file of glob(pattern, { cwd: from })) found.push(file);
  await runCommand('cp', ['-a', '--parents', ...found, to], { cwd: from, remedy });
}
