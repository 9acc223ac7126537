// Chooses the packages of the base and downloads them, verified. Once done, no network is needed until the lists change.
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { placesOf } from '../build.ts';
import type { Step } from '../step.ts';

export const packages: Step = {
  name: '10-packages',
  place: 'cache',
  inputs: ({ base }) => ['image/steps/10-packages.ts', ...base.inputs],
  outputs: (build) => [placesOf(build).packages, placesOf(build).archives],
  async run(build) {
    const places = placesOf(build);
    const work = path.join(build.cache, 'work');
    await mkdir(work, { recursive: true });
    const resolved = await build.base.fetch({ archives: places.archives, work });
    await writeFile(places.packages, `${JSON.stringify(resolved, null, 2)}\n`);
  },
};
