// The tree -> one compressed, read-only file system. Owners come from ownership.json, so no step needs to be root.
import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { type Build, placesOf } from '../build.ts';
import { ImageError } from '../image-error.ts';
import ownership from '../ownership.json' with { type: 'json' };
import { runCommand } from '../run-command.ts';
import type { Step } from '../step.ts';

const levels = { fast: '3', small: '19' } as const;

export const squashfs: Step = {
  name: '80-squashfs',
  place: 'out',
  inputs: () => ['image/steps/80-squashfs.ts', 'image/ownership.json'],
  outputs: (build) => [placesOf(build).squashfs],
  async run(build) {
    const { root, squashfs: file } = placesOf(build);
    await rm(file, { force: true });
    await runCommand(
      'mksquashfs',
      [
        ...[root, file, '-noappend', '-quiet', '-no-progress', '-all-root', '-no-xattrs'],
        ...['-comp', 'zstd', '-Xcompression-level', levels[build.compression], '-b', '128K'],
        // The same tree gives the same bytes.
        ...['-mkfs-time', '0', '-all-time', '0'],
        ...(await ownershipArguments(build)),
      ],
      { from: 'squashfs-tools', remedy: 'free space and build again' },
    );
  },
};

async function ownershipArguments(build: Build): Promise<readonly string[]> {
  const users = await idsOf(build, 'passwd');
  const groups = await idsOf(build, 'group');
  const idOf = (ids: ReadonlyMap<string, string>, name: string, at: string) => {
    const id = ids.get(name);
    if (id !== undefined) return id;
    throw new ImageError(
      'image.input-missing',
      `give ${at} to ${name}: rootfs/etc has no such user or group; add it or correct ownership.json`,
    );
  };
  return Object.entries(ownership).flatMap(([at, [mode = '', user = '', group = '']]) => [
    '-p',
    `${at} m ${mode} ${idOf(users, user, at)} ${idOf(groups, group, at)}`,
  ]);
}

async function idsOf(build: Build, table: 'passwd' | 'group'): Promise<ReadonlyMap<string, string>> {
  const text = await readFile(path.join(placesOf(build).root, 'etc', table), 'utf8');
  return new Map(text.split('\n').map((line) => [line.split(':')[0] ?? '', line.split(':')[2] ?? '']));
}
