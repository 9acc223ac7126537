// Base `debian`: packages from the machine's own apt sources, unpacked without root and without their scripts.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readFile, symlink } from 'node:fs/promises';
import path from 'node:path';
import bases from '../bases.json' with { type: 'json' };
import { ImageError } from '../image-error.ts';
import { missingTools } from '../missing-tools.ts';
import debian from '../packages/debian.json' with { type: 'json' };
import { runCommand } from '../run-command.ts';
import type { Architecture, BaseProvider, ResolvedPackage } from './base-provider.ts';
import { type Apt, openApt } from './debian-apt.ts';
import { parseDebianCopyright } from './debian-licenses.ts';
import { runFromRoot } from './run-from-root.ts';

export interface DebianOptions {
  /** Release to build from; default: the one in packages/debian.json. */
  readonly suite?: string | undefined;
  /** A deb822 file to take packages from instead of the machine's own apt sources. */
  readonly sources?: string | undefined;
}

export function debianBase(options: DebianOptions = {}): BaseProvider {
  const suite = options.suite ?? debian.suite;
  const architecture = architectureOfHost();
  const { layers, links, mergedFolders } = bases.debian;
  const libraryFolders = bases.debian.libraryFolders[architecture];
  return {
    name: `debian-${suite}`,
    architecture,
    libc: 'gnu',
    node: 'npm',
    inputs: [
      'image/packages/debian.json',
      'image/bases.json',
      'image/base/*.ts',
      ...(options.sources ? [options.sources] : []),
    ],
    identity: '',
    layers,
    links,
    libraryFolders,
    purl: ({ name, version }) => `pkg:deb/debian/${name}@${encodeURIComponent(version)}?distro=${suite}`,

    async fetch({ archives, work }) {
      const apt = await openApt({ work, suite, sources: options.sources });
      const wanted = await apt.closureOf(debian.packages);
      const base = wanted.filter(({ name }) => !debian.leaveOut.includes(name));
      const boot = (await apt.closureOf(debian.boot)).filter(({ name }) => debian.boot.includes(name));
      const kernel = await apt.closureOf([await kernelPackage(apt, debian.kernel[architecture])]);
      const kernelImage = kernel.filter(({ name }) => name.startsWith('linux-image-'));
      const named = [
        ...base.map((entry) => ({ ...entry, part: 'base' as const, ...onlyOf(entry.name) })),
        ...kernelImage.map((entry) => ({ ...entry, part: 'kernel' as const })),
        ...boot.map((entry) => ({ ...entry, part: 'boot' as const })),
      ];
      await apt.download(named, archives);
      for (const entry of named) await verify(entry, archives);
      return named;
    },

    async prepareRoot(root) {
      for (const folder of mergedFolders) {
        await mkdir(path.join(root, 'usr', folder), { recursive: true });
        if (!existsSync(path.join(root, folder))) await symlink(`usr/${folder}`, path.join(root, folder));
      }
    },

    async unpack(archive, root) {
      await runCommand('dpkg-deb', ['--extract', archive, root], {
        from: 'dpkg',
        remedy: 'delete the file so that it is downloaded again',
      });
    },

    async licensesOf(name, archive) {
      const file = `./usr/share/doc/${name}/copyright`;
      const remedy = 'delete the file so that it is downloaded again';
      const wanted = ['--fsys-tarfile', archive];
      const tree = await runCommand(
        'sh',
        [
          '-c',
          'dpkg-deb "$@" | tar --extract --to-stdout --occurrence=1 "$0" 2>/dev/null || :',
          file,
          ...wanted,
        ],
        {
          remedy,
          from: 'dpkg',
        },
      );
      return parseDebianCopyright(name, tree);
    },

    runFromRoot: (root, program, args, argv0) => runFromRoot({ root, program, args, argv0, libraryFolders }),
  };
}

/** The meta package names the newest kernel of the release; only that one is wanted, without its initramfs tools. */
async function kernelPackage(apt: Apt, meta: string): Promise<string> {
  const depends = await apt.dependsOf(meta);
  return depends.find((name) => name.startsWith('linux-image-')) ?? meta;
}

function onlyOf(name: string): { readonly only?: readonly string[] } {
  const lists: Readonly<Record<string, readonly string[]>> = debian.only;
  const only = lists[name];
  return only === undefined ? {} : { only };
}

async function verify(entry: ResolvedPackage, archives: string): Promise<void> {
  const bytes = await readFile(path.join(archives, entry.file));
  const found = createHash('sha256').update(bytes).digest('hex');
  if (bytes.length === entry.sizeBytes && found === entry.sha256) return;
  throw new ImageError(
    'image.package-damaged',
    `verify ${entry.file}: its SHA-256 is ${found}, the signed index says ${entry.sha256}; delete it and build again`,
  );
}

export function architectureOfHost(): Architecture {
  if (process.arch === 'x64' || process.arch === 'arm64') return process.arch;
  throw new ImageError(
    'image.host-unsuitable',
    `choose packages: no list for the architecture ${process.arch}; build on x64 or arm64`,
  );
}

/** Why this machine cannot build on Debian's packages without being told a source, or undefined when it can. */
export function whyNotDebian(): string | undefined {
  if (!/^ID=debian$/m.test(readFileSync('/etc/os-release', 'utf8'))) return 'this machine is not Debian';
  const missing = missingTools(['apt-get', 'dpkg-deb', 'mksquashfs', 'xz']);
  return missing.length === 0 ? undefined : `not installed: ${missing.join(', ')}`;
}
