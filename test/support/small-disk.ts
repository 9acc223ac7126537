// A disk of a few MB that can be filled to the brim: a tmpfs, which only root may mount.
import { execFileSync } from 'node:child_process';
import { mkdtemp, rmdir } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';

/** Why there can be none here, for the skipped test to print; false when there can. */
export const noSmallDisk = process.getuid?.() === 0 ? false : 'only root may mount a tmpfs';

/** Resolves with its folder; unmounted with the test. */
export async function mountSmallDisk(t: Pick<TestContext, 'after'>, megabytes: number): Promise<string> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'autoweave-disk-'));
  t.after(async () => {
    execFileSync('umount', ['-l', folder]);
    await rmdir(folder);
  });
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=700`, 'tmpfs', folder]);
  return folder;
}

export function resizeSmallDisk(folder: string, megabytes: number): void {
  execFileSync('mount', ['-o', `remount,size=${megabytes}m`, folder]);
}
