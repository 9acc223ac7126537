// Base `alpine`: packages of a pinned Alpine release, unpacked without root and without their scripts. C library musl.
import { mkdir, symlink } from 'node:fs/promises';
import path from 'node:path';
import bases from '../bases.json' with { type: 'json' };
import alpine from '../packages/alpine.json' with { type: 'json' };
import { alpineLicenses } from './alpine-licenses.ts';
import { lockFileOf } from './alpine-lock.ts';
import { fetchAlpine } from './alpine-packages.ts';
import type { Architecture, BaseProvider } from './base-provider.ts';
import { runFromRoot } from './run-from-root.ts';
import { unpackApk } from './unpack-apk.ts';

export interface AlpineOptions {
  readonly architecture: Architecture;
  /** `https://…`, `http://…` or `file:///…`; default: the variable ALPINE_MIRROR, then Alpine's own. */
  readonly mirror?: string | undefined;
  /** Folder of keys to trust instead of the pinned ones. */
  readonly keys?: string | undefined;
  /** Lock file instead of the one in image/packages. */
  readonly lock?: string | undefined;
  readonly locking?: 'pinned' | 'refresh';
}

export function alpineBase(options: AlpineOptions): BaseProvider {
  const { architecture, locking = 'pinned' } = options;
  const release = alpine.release.slice(1);
  const apkArchitecture = alpine.architectures[architecture];
  const lockFile = path.resolve(options.lock ?? lockFileOf(alpine.release, apkArchitecture));
  const mirror = options.mirror ?? process.env.ALPINE_MIRROR ?? alpine.mirror;
  const { layers, links, mergedFolders, libraryFolders } = bases.alpine;
  return {
    name: `alpine-${release}`,
    architecture,
    libc: 'musl',
    node: 'package',
    layers,
    links,
    libraryFolders: libraryFolders[architecture],
    inputs: ['image/packages/alpine.json', 'image/bases.json', 'image/base/*.ts', lockFile],
    identity: `${mirror} ${options.keys ?? ''}`,
    purl: ({ name, version }) =>
      `pkg:apk/alpine/${name}@${encodeURIComponent(version)}?arch=${apkArchitecture}&distro=alpine-${release}`,

    fetch: ({ archives, work }) =>
      fetchAlpine({ mirror, keys: options.keys, architecture, lockFile, locking, archives, work }),
    unpack: unpackApk,
    licensesOf: (_, archive) => alpineLicenses(archive),

    async prepareRoot(root) {
      for (const folder of mergedFolders) {
        await mkdir(path.join(root, 'usr', folder), { recursive: true });
        await symlink(`usr/${folder}`, path.join(root, folder));
      }
    },

    runFromRoot: (root, program, args, argv0) =>
      runFromRoot({ root, program, args, argv0, libraryFolders: libraryFolders[architecture] }),
  };
}
