// What the image consists of: packages with version and hash, and the hash of each file that was made.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { placesOf } from '../build.ts';
import { readResolved } from '../resolved-packages.ts';
import type { Step } from '../step.ts';

export const manifest: Step = {
  name: '90-manifest',
  place: 'out',
  inputs: () => ['image/steps/90-manifest.ts'],
  outputs: (build) => [placesOf(build).manifest],
  async run(build) {
    const places = placesOf(build);
    const made = [places.vmlinuz, places.initramfs, places.squashfs];
    const files = await Promise.all(
      made.map(async (file) => {
        const hash = createHash('sha256');
        await pipeline(createReadStream(file), hash);
        return { file: path.basename(file), sizeBytes: (await stat(file)).size, sha256: hash.digest('hex') };
      }),
    );
    const packages = (await readResolved(build)).map(({ name, version, sha256 }) => ({
      name,
      version,
      sha256,
    }));
    await writeFile(
      places.manifest,
      `${JSON.stringify({ base: build.base.name, files, packages }, null, 2)}\n`,
    );
  },
};
