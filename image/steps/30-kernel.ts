// Takes the kernel apart: the image that firmware starts, the one a virtual machine starts, and the modules of modules.json.
import { glob, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { placesOf } from '../build.ts';
import { ImageError } from '../image-error.ts';
import { copyModules } from '../kernel-modules.ts';
import modules from '../modules.json' with { type: 'json' };
import { readResolved } from '../resolved-packages.ts';
import type { Step } from '../step.ts';
import { vmlinuxOf } from '../vmlinux.ts';

export const kernel: Step = {
  name: '30-kernel',
  place: 'cache',
  inputs: () => [
    'image/steps/30-kernel.ts',
    'image/kernel-modules.ts',
    'image/vmlinux.ts',
    'image/modules.json',
  ],
  outputs: (build) => [placesOf(build).vmlinuz, placesOf(build).vmlinux, placesOf(build).modules],
  async run(build) {
    const places = placesOf(build);
    const tree = places.kernelTree;
    await rm(tree, { recursive: true, force: true });
    await rm(places.modules, { recursive: true, force: true });
    await build.base.prepareRoot(tree);
    for (const { file, part } of await readResolved(build))
      if (part === 'kernel') await build.base.unpack(path.join(places.archives, file), tree);

    const image = await readFile(path.join(tree, await onlyMatch(tree, 'boot/vmlinuz*')));
    await writeFile(places.vmlinuz, image);
    await writeFile(places.vmlinux, vmlinuxOf(image) ?? image);

    const from = path.join(tree, await onlyMatch(tree, 'usr/lib/modules/*'));
    const release = path.basename(from);
    const to = path.join(places.modules, 'lib/modules', release);
    await mkdir(to, { recursive: true });
    for await (const list of glob('modules.{builtin,order}*', { cwd: from }))
      await writeFile(path.join(to, list), await readFile(path.join(from, list)));
    const chosen = await copyModules(from, to, modules.root);
    await build.base.runFromRoot(places.baseRoot, 'usr/bin/kmod', ['-b', places.modules, release], 'depmod');
    await writeFile(
      path.join(places.modules, 'initramfs-order.json'),
      JSON.stringify({
        release,
        disks: chosen.inLoadOrder(modules.initramfs.disks),
        sticks: chosen.inLoadOrder([...modules.initramfs.disks, ...modules.initramfs.sticks]),
      }),
    );
    build.report(`30-kernel: ${release}, ${chosen.count} modules`);
    await rm(tree, { recursive: true, force: true });
  },
};

async function onlyMatch(tree: string, pattern: string): Promise<string> {
  const found: string[] = [];
  for await (const entry of glob(pattern, { cwd: tree })) found.push(entry);
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  throw new ImageError(
    'image.kernel-unreadable',
    `look for ${pattern} in the kernel package: ${found.length} found; exactly one kernel must be chosen`,
  );
}
