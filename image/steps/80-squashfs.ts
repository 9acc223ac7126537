// The tree -> one compressed, read-only file system. Owners come from ownership.json, so no step needs to be root.
import { rm } from 'node:fs/promises';
import { type Build, placesOf } from '../build.ts';
import { ImageError } from '../image-error.ts';
import ownership from '../ownership.json' with { type: 'json' };
import { idsOf } from '../root-ids.ts';
import { runCommand } from '../run-command.ts';
import type { Step } from '../step.ts';

const levels = { fast: '3', small: '19' } as const;

export const squashfs: Step = {
  name: '80-squashfs',
  place: 'out',
  inputs: () => ['image/steps/80-squashfs.ts', 'image/root-ids.ts', 'image/ownership.json'],
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
  const { root } = placesOf(build);
  const users = await idsOf(root, 'passwd');
  const groups = await idsOf(root, 'group');
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
