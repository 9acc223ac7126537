// The partition that a person opens on a desktop: an explanation and an example of the configuration.
import { placesOf } from '../build.ts';
import { writeFatImage } from '../fat-image.ts';
import { mib, partitionThatHolds } from '../partition-table.ts';
import type { Step } from '../step.ts';

export const configPartition: Step = {
  name: '93-config',
  place: 'out',
  inputs: () => [
    'image/steps/93-config.ts',
    'image/fat-image.ts',
    'image/config-partition/*',
    'image/partitions.json',
  ],
  outputs: (build) => [placesOf(build).configPartition],
  async run(build) {
    const { label, serial, sizeMiB } = partitionThatHolds('config');
    await writeFatImage({
      file: placesOf(build).configPartition,
      sizeBytes: sizeMiB * mib,
      label,
      serial,
      epochSeconds: build.epochSeconds,
      contents: {
        'README.txt': 'image/config-partition/README.txt',
        'autoweave.example.json': 'image/config-partition/autoweave.example.json',
      },
    });
  },
};
