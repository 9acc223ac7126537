// The disk -> the file that is handed out. The slot is compressed already; this takes away the empty room.
import { stat } from 'node:fs/promises';
import { placesOf } from '../build.ts';
import { runCommand } from '../run-command.ts';
import type { Step } from '../step.ts';

export const compress: Step = {
  name: '96-compress',
  place: 'out',
  inputs: () => ['image/steps/96-compress.ts'],
  outputs: (build) => [placesOf(build).handedOut],
  async run(build) {
    const { disk, handedOut } = placesOf(build);
    // With -T the result does not depend on how many processors there are.
    await runCommand('zstd', ['-q', '-f', '-6', '-T0', disk, '-o', handedOut], {
      from: 'zstd',
      remedy: 'free space and build again',
    });
    const size = async (file: string) => `${((await stat(file)).size / 1e6).toFixed(1)} MB`;
    build.report(`96-compress: ${await size(disk)} -> ${await size(handedOut)}`);
  },
};
