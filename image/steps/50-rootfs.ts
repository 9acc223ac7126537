// Base + kernel modules + what is ours: rootfs/, udev/, Node, the runtime and the extra layers. Later trees win.
import { copyFile, cp, glob, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type Build, placesOf } from '../build.ts';
import { ImageError } from '../image-error.ts';
import { osRelease } from '../os-release.ts';
import { runCommand } from '../run-command.ts';
import type { Step } from '../step.ts';

/** Links into places that exist on the running appliance alone. */
const links: Readonly<Record<string, string>> = { 'etc/resolv.conf': '/run/resolv.conf' };

export const rootfs: Step = {
  name: '50-rootfs',
  place: 'out',
  inputs: ({ base, runtime, node, addon, layers }) => [
    'image/steps/50-rootfs.ts',
    'image/os-release.ts',
    'package.json',
    ...base.layers.map((layer) => `${layer}/**`),
    'rootfs/**',
    'udev/**',
    runtime,
    ...(node === undefined ? [] : [node]),
    ...(addon === undefined ? [] : [addon]),
    ...layers.map((layer) => `${layer}/**`),
  ],
  outputs: (build) => [placesOf(build).root],
  async run(build) {
    const { root, baseRoot, modules } = placesOf(build);
    await rm(root, { recursive: true, force: true });
    await mkdir(path.dirname(root), { recursive: true });
    // Hard links: nothing below writes into a file of the base, it replaces the file.
    await runCommand('cp', ['-a', '--link', baseRoot, root], { remedy: 'free space and build again' });
    await runCommand('cp', ['-a', '--link', path.join(modules, 'lib/modules'), path.join(root, 'usr/lib/')], {
      remedy: 'free space and build again',
    });
    for (const layer of [...build.base.layers, 'rootfs', ...build.layers])
      await lay(path.join(build.repository, layer), root);
    for (const [link, target] of Object.entries({ ...links, ...build.base.links }))
      await symlink(target, path.join(root, link));
    await rm(path.join(root, 'etc/os-release'), { force: true });
    await writeFile(path.join(root, 'etc/os-release'), osRelease(build.version));
    await installUdev(path.join(build.repository, 'udev'), root);
    await installRuntime(build, root);
  },
};

async function lay(from: string, root: string): Promise<void> {
  await runCommand('cp', ['-R', '-P', '--preserve=mode', '--remove-destination', `${from}/.`, root], {
    remedy: 'check the layer',
  });
}

/** Rules and hardware data where udevd looks for them; any other script is a helper that a rule names. */
async function installUdev(from: string, root: string): Promise<void> {
  const places = { '.rules': 'usr/lib/udev/rules.d', '.hwdb': 'usr/lib/udev/hwdb.d' } as const;
  for await (const entry of glob('*', { cwd: from })) {
    if (path.extname(entry) === '.md') continue;
    const to = path.join(root, places[path.extname(entry) as keyof typeof places] ?? 'usr/lib/udev');
    await mkdir(to, { recursive: true });
    await rm(path.join(to, entry), { force: true });
    await cp(path.join(from, entry), path.join(to, entry));
  }
}

async function installRuntime({ runtime, node, addon }: Build, root: string): Promise<void> {
  const home = path.join(root, 'usr/lib/autoweave');
  await mkdir(home, { recursive: true });
  await install(runtime, path.join(home, 'autoweave.mjs'), 'npm run build');
  if (node !== undefined) await install(node, path.join(root, 'usr/bin/node'), 'npm ci');
  // Unpacked here so that the appliance needs no writable place that allows exec.
  if (addon !== undefined) await install(addon, path.join(home, 'usb.node'), 'npm ci');
}

async function install(from: string, to: string, remedy: string): Promise<void> {
  try {
    await copyFile(from, to);
  } catch (cause) {
    throw new ImageError('image.input-missing', `copy ${from} into the image: not readable; run ${remedy}`, {
      cause,
    });
  }
}
