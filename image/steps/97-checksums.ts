// SHA256SUMS in the format of sha256sum(1): `sha256sum -c SHA256SUMS` beside the files checks them.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { placesOf } from '../build.ts';
import type { Step } from '../step.ts';

export const checksums: Step = {
  name: '97-checksums',
  place: 'out',
  inputs: () => ['image/steps/97-checksums.ts'],
  outputs: (build) => [placesOf(build).checksums],
  async run(build) {
    const { handedOut, sbom, checksums: file } = placesOf(build);
    const lines: string[] = [];
    for (const made of [handedOut, sbom]) {
      const hash = createHash('sha256');
      await pipeline(createReadStream(made), hash);
      lines.push(`${hash.digest('hex')}  ${path.basename(made)}`);
    }
    await writeFile(file, `${lines.join('\n')}\n`);
    for (const line of lines) build.report(`97-checksums: ${line}`);
  },
};
