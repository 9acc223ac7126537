// What the image consists of: packages with version, hash and size, and the hash of each file that was made.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type Build, placesOf } from '../build.ts';
import { type Owners, type PackageSize, sizesByPackage } from '../owners-of-files.ts';
import { readResolved } from '../resolved-packages.ts';
import type { Step } from '../step.ts';

export const manifest: Step = {
  name: '90-manifest',
  place: 'out',
  inputs: () => ['image/steps/90-manifest.ts', 'image/owners-of-files.ts'],
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
    // Written by the step that unpacked them.
    const owners = JSON.parse(await readFile(places.owners, 'utf8')) as Owners;
    const sizes = await sizesByPackage(places.root, owners, ours);
    await writeFile(
      places.manifest,
      `${JSON.stringify({ base: build.base.name, files, packages, sizes }, null, 2)}\n`,
    );
    tell(build, sizes);
  },
};

const shown = 12;

function tell(build: Build, sizes: readonly PackageSize[]): void {
  const line = (bytes: number, name: string) =>
    build.report(`90-manifest: ${(bytes / 1e6).toFixed(1).padStart(7)} MB  ${name}`);
  const sum = (some: readonly PackageSize[]) => some.reduce((all, { bytes }) => all + bytes, 0);
  for (const { bytes, name } of sizes.slice(0, shown)) line(bytes, name);
  const rest = sizes.slice(shown);
  line(sum(rest), `${rest.length} others, listed in manifest.json`);
  line(sum(sizes), 'all of them, before compression');
}

/** What does not come out of a package of the base's root. */
function ours(file: string): string {
  if (file.startsWith('usr/lib/modules/')) return 'kernel modules';
  if (file === 'usr/bin/node') return 'node';
  if (file === 'usr/lib/autoweave/autoweave.mjs') return 'autoweave, the bundle';
  return 'rootfs, udev and layers';
}
