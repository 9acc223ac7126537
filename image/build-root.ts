// Packages and sources -> kernel, initramfs and root file system, for a virtual machine that starts them directly. Nothing needs
// root; run again, it does only what changed.
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { productVersion } from '../src/lib/product-version.ts';
import type { BaseProvider } from './base/base-provider.ts';
import { type Build, type Compression, type Format, placesOf } from './build.ts';
import { ImageError } from './image-error.ts';
import { runSteps, type Step } from './step.ts';
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
import { usbAddon } from './usb-addon.ts';

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
  readonly format?: Format;
  /** Stands for every time in the image; default: the first day of 2026. */
  readonly epochSeconds?: number;
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
  /** The root as a tree, whose programs also run here, through its own loader and libraries. */
  readonly tree: string;
  readonly libraryFolders: readonly string[];
}

const repository = path.resolve(import.meta.dirname, '..');
/** Longer than the slowest first build: another process that builds is waited for. */
const lockLimitMs = 900_000;
const defaultEpochSeconds = 1_767_225_600;

export const treeSteps: readonly Step[] = [packages, base, kernel, initramfs, rootfs, harden, libraries];
export const rootSteps: readonly Step[] = [...treeSteps, squashfs, manifest];

export async function buildRoot(options: BuildRootOptions): Promise<BuiltRoot> {
  const out = path.resolve(options.out);
  const places = placesOf(await runBuild({ ...options, release: out }, rootSteps));
  return {
    kernel: places.vmlinuz,
    vmlinux: places.vmlinux,
    initramfs: places.initramfs,
    squashfs: places.squashfs,
    manifest: places.manifest,
    tree: places.root,
    libraryFolders: options.base.libraryFolders,
  };
}

/** Checks what every image needs, waits for other builds, and runs the steps. */
export async function runBuild(
  options: BuildRootOptions & { readonly release: string },
  steps: readonly Step[],
): Promise<Build> {
  const { base: foundation } = options;
  const foreign = foundation.architecture === process.arch ? '' : `-${foundation.architecture}`;
  const cache = path.join(repository, '.cache/image', `${foundation.name}${foreign}`);
  const build: Build = {
    repository,
    base: foundation,
    cache,
    out: path.resolve(options.out),
    release: path.resolve(options.release),
    version: productVersion,
    epochSeconds: options.epochSeconds ?? defaultEpochSeconds,
    runtime: path.resolve(options.runtime),
    node: foundation.node === 'package' ? undefined : path.resolve(options.node ?? nodeOfPackage()),
    addon: await usbAddon({ repository, architecture: foundation.architecture, libc: foundation.libc }),
    layers: options.layers ?? [],
    compression: options.compression ?? 'fast',
    format: options.format ?? 'disk',
    report: options.report ?? (() => undefined),
  };
  for (const [file, remedy] of [
    [build.runtime, 'npm run build'],
    [build.node, 'npm ci'],
  ] as const)
    if (file !== undefined && !existsSync(file))
      throw new ImageError('image.input-missing', `build the image: ${file} is missing; run ${remedy}`);

  await mkdir(cache, { recursive: true });
  const lock = await takeLock(`build ${foundation.name}`, lockLimitMs);
  try {
    await runSteps(build, steps);
  } finally {
    await lock.release();
  }
  return build;
}

/** The Node binary that npm brought for this machine: it fits bases with glibc. */
function nodeOfPackage(): string {
  return path.join(repository, `node_modules/node-linux-${process.arch}/bin/node`);
}
