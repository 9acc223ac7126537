// What every step of one build knows: where it reads, where it writes, which base it builds on.
import type { BaseProvider } from './base/base-provider.ts';

export interface Build {
  readonly repository: string;
  readonly base: BaseProvider;
  /** Downloads and unpacked packages; shared by all images of this base and suite. */
  readonly cache: string;
  /** What is handed to people. */
  readonly release: string;
  /** This image alone. */
  readonly out: string;
  /** The one file that ships. */
  readonly runtime: string;
  /** The Node binary for this base, where its packages do not bring one. */
  readonly node: string | undefined;
  /** The native part of the `usb` package for this base, if it is already unpacked. */
  readonly addon: string | undefined;
  /** Trees copied over the root last: a test's agent, a customer's additions. */
  readonly layers: readonly string[];
  readonly compression: Compression;
  readonly format: Format;
  /** Stated once, in package.json. */
  readonly version: string;
  /** Every time that is written into the image: the same sources give the same bytes. */
  readonly epochSeconds: number;
  report(line: string): void;
}

/** `small` for what is released; `fast`, some seconds quicker and a seventh larger, for tests and trials. */
export type Compression = 'fast' | 'small';

/** `disk`: what a computer boots. `oci`: a container image as one archive. */
export type Format = 'disk' | 'oci';

const endings = { disk: 'img.zst', oci: 'oci.tar' } as const satisfies Readonly<Record<Format, string>>;

/** Names of what the steps hand to each other. */
export const placesOf = ({ cache, out, release, version, base, format }: Build) => ({
  packages: `${cache}/packages.json`,
  archives: `${cache}/archives`,
  baseRoot: `${cache}/base`,
  owners: `${cache}/owners.json`,
  kernelTree: `${cache}/kernel`,
  vmlinuz: `${cache}/vmlinuz`,
  vmlinux: `${cache}/vmlinux`,
  modules: `${cache}/modules`,
  initramfs: `${cache}/initramfs.cpio`,
  root: `${out}/root`,
  squashfs: `${out}/root.squashfs`,
  manifest: `${out}/manifest.json`,
  bootFiles: `${cache}/boot`,
  uki: `${out}/autoweave-a.efi`,
  esp: `${out}/esp.img`,
  configPartition: `${out}/config.img`,
  disk: `${out}/disk.img`,
  handedOut: `${release}/${releaseName({ version, base })}.${endings[format]}`,
  sbom: `${release}/${releaseName({ version, base })}.spdx.json`,
  checksums: `${release}/SHA256SUMS`,
});

/** `autoweave-edge-0.1.0-debian-trixie-x64` */
export function releaseName({ version, base }: Pick<Build, 'version' | 'base'>): string {
  return `autoweave-edge-${version}-${base.name}-${base.architecture}`;
}
