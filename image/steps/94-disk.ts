// Partitions -> the disk as it is written to a stick: table, boot partition, slot A, empty slot B, CONFIG. No data partition.
import { stat, truncate, writeFile } from 'node:fs/promises';
import { placesOf } from '../build.ts';
import { refuseTooLarge } from '../fat-image.ts';
import { diskMiB, type Holds, mib, partitionTable, sfdiskScript } from '../partition-table.ts';
import { runCommand } from '../run-command.ts';
import type { Step } from '../step.ts';

const remedy = 'free space and build again';

export const disk: Step = {
  name: '94-disk',
  place: 'out',
  inputs: () => ['image/steps/94-disk.ts', 'image/partition-table.ts', 'image/partitions.json'],
  outputs: (build) => [placesOf(build).disk],
  async run(build) {
    const places = placesOf(build);
    const files: Readonly<Record<Holds, string | undefined>> = {
      esp: places.esp,
      root: places.squashfs,
      config: places.configPartition,
      nothing: undefined,
    };
    await writeFile(places.disk, '');
    await truncate(places.disk, diskMiB * mib);
    await runCommand('sfdisk', ['--quiet', '--no-reread', '--no-tell-kernel', places.disk], {
      from: 'fdisk',
      input: sfdiskScript(),
      remedy: 'correct image/partitions.json',
    });
    for (const { name, holds, startMiB, sizeMiB } of partitionTable) {
      const file = files[holds];
      if (file === undefined) continue;
      refuseTooLarge(name, (await stat(file)).size, sizeMiB * mib);
      const target = [`if=${file}`, `of=${places.disk}`, 'bs=1M', `seek=${startMiB}`, 'conv=notrunc,sparse'];
      await runCommand('dd', target, { remedy });
    }
  },
};
