// The partition that the firmware reads: systemd-boot, and the unified kernel image of slot A.
import { stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import boot from '../boot.json' with { type: 'json' };
import { placesOf } from '../build.ts';
import { refuseTooLarge, writeFatImage } from '../fat-image.ts';
import { mib, partitionThatHolds } from '../partition-table.ts';
import type { Step } from '../step.ts';
import { architectureFiles } from './91-uki.ts';

export const esp: Step = {
  name: '92-esp',
  place: 'out',
  inputs: () => ['image/steps/92-esp.ts', 'image/fat-image.ts', 'image/boot.json', 'image/partitions.json'],
  outputs: (build) => [placesOf(build).esp],
  async run(build) {
    const { esp: file, uki } = placesOf(build);
    const { label, serial, sizeMiB } = partitionThatHolds('esp');
    // Room for a second one of the same size, which an update brings.
    refuseTooLarge('two kernel images', 2 * (await stat(uki)).size, (sizeMiB - 4) * mib);
    const settings = path.join(build.out, 'loader.conf');
    await writeFile(settings, `${boot.loader.join('\n')}\n`);
    const { loader, fallbackName } = architectureFiles(build);
    await writeFatImage({
      file,
      sizeBytes: sizeMiB * mib,
      label,
      serial,
      epochSeconds: build.epochSeconds,
      contents: {
        [`EFI/BOOT/${fallbackName}`]: loader,
        'EFI/Linux/autoweave-a.efi': uki,
        'loader/loader.conf': settings,
      },
    });
  },
};
