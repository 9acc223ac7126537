// Packages and sources -> kernel, initramfs and root file system. Nothing needs root; run again, it does only what changed.
// By hand: `node image/build-root.ts [--suite NAME] [--sources FILE] [--small]`.
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { BaseProvider } from './base/base-provider.ts';
import { baseProvider } from './base/base-providers.ts';
import { type Build, type Compression, placesOf } from './build.ts';
import { ImageError } from './image-error.ts';
import { runSteps } from './step.ts';
import { packages } from './steps/10-packages.ts';
import { base } from './steps/20-base.ts';
import { kernel } from './steps/30-kernel.ts';
import { initramfs } from './steps/40-initramfs.ts';
import { rootfs } from './steps/50-rootfs.ts';
import { harden } from './steps/60-harden.ts';
import { libraries } from './steps/70-libraries.ts';
import { squashfs } from './steps/80-squashfs.ts';
import { manifest } from './steps/90-manifest.ts';
import { takeLock } from './take-lock.ts';

export interface BuildRootOptions {
  readonly base: BaseProvider;
  /** Folder of this image. */
  readonly out: string;
  /** dist/autoweave.mjs */
  readonly runtime: string;
  readonly node?: string;
  /** Trees laid over the root last, relative to the repository. */
  readonly layers?: readonly string[];
  readonly compression?: Compression;
  report?(line: string): void;
}

export interface BuiltRoot {
  /** What firmware or a boot loader starts. */
  readonly kernel: string;
  /** The same kernel unpacked, for a virtual machine that starts it directly. */
  readonly vmlinux: string;
  readonly initramfs: string;
  readonly squashfs: string;
  readonly manifest: string;
}

const repository = path.resolve(import.meta.dirname, '..');
/** Longer than the slowest first build: another process that builds is waited for. */
const lockLimitMs = 900_000;

export async function buildRoot(options: BuildRootOptions): Promise<BuiltRoot> {
  const cache = path.join(repository, '.cache/image', options.base.name);
  const build: Build = {
    repository,
    base: options.base,
    cache,
    out: path.resolve(options.out),
    runtime: path.resolve(options.runtime),
    node: path.resolve(options.node ?? nodeOfPackage()),
    addon: addonOfPackage(),
    layers: options.layers ?? [],
    compression: options.compression ?? 'fast',
    report: options.report ?? (() => undefined),
  };
  for (const [file, remedy] of [
    [build.runtime, 'npm run build'],
    [build.node, 'npm ci'],
  ] as const)
    if (!existsSync(file))
      throw new ImageError('image.input-missing', `build the image: ${file} is missing; run ${remedy}`);

  await mkdir(cache, { recursive: true });
  const lock = await takeLock(`build ${options.base.name}`, lockLimitMs);
  try {
    await runSteps(build, [packages, base, kernel, initramfs, rootfs, harden, libraries, squashfs, manifest]);
  } finally {
    await lock.release();
  }
  const places = placesOf(build);
  return {
    kernel: places.vmlinuz,
    vmlinux: places.vmlinux,
    initramfs: places.initramfs,
    squashfs: places.squashfs,
    manifest: places.manifest,
  };
}

/** The Node binary that npm brought for this machine: it fits bases with glibc. */
function nodeOfPackage(): string {
  return path.join(repository, `node_modules/node-linux-${process.arch}/bin/node`);
}

function addonOfPackage(): string | undefined {
  const name = `@node-usb/usb-linux-${process.arch}-gnu`;
  const file = path.join(repository, 'node_modules', name, `usb.linux-${process.arch}-gnu.node`);
  return existsSync(file) ? file : undefined;
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { suite: { type: 'string' }, sources: { type: 'string' }, small: { type: 'boolean' } },
  });
  const built = await buildRoot({
    base: baseProvider('debian', values),
    out: path.join(repository, 'out/image'),
    runtime: path.join(repository, 'dist/autoweave.mjs'),
    compression: values.small === true ? 'small' : 'fast',
    report: (line) => console.log(line),
  });
  console.log(JSON.stringify(built, null, 2));
}
