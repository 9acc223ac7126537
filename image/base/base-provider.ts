// What the builder needs from a distribution. A new base is a new file beside debian.ts and a line in base-providers.ts.

export interface ResolvedPackage {
  readonly name: string;
  readonly version: string;
  /** File name inside the archive folder. */
  readonly file: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  /** `boot`: for the boot partition alone. */
  readonly part: 'base' | 'kernel' | 'boot';
  /** The only files wanted of it; left out: all. */
  readonly only?: readonly string[];
}

export interface PackageLicenses {
  /** SPDX expression. */
  readonly expression: string;
  /** LicenseRef of the expression -> its text. */
  readonly references: Readonly<Record<string, string>>;
}
/** Node's names of processors. */
export type Architecture = 'x64' | 'arm64';

export interface BaseProvider {
  readonly name: string;
  readonly architecture: Architecture;
  readonly libc: 'gnu' | 'musl';
  /** Where the image's Node comes from: the npm package that npm ci brought, or the base's own packages. */
  readonly node: 'npm' | 'package';
  /** Data files whose change means that packages must be resolved again. */
  readonly inputs: readonly string[];
  /** What else decides which packages are chosen: an address, an option. */
  readonly identity: string;
  /** Trees copied over the base for what this distribution alone needs. */
  readonly layers: readonly string[];
  /** Links of the root that this distribution alone needs, path -> target. */
  readonly links: Readonly<Record<string, string>>;
  /** Chooses the packages and downloads them, checked against the distribution's signatures. */
  fetch(to: { readonly archives: string; readonly work: string }): Promise<readonly ResolvedPackage[]>;
  /** Unpacks one downloaded and verified package; runs none of its scripts. */
  unpack(archive: string, root: string): Promise<void>;
  /** What the package itself says about its terms, as far as a program can read it. */
  licensesOf?(name: string, archive: string): Promise<PackageLicenses | undefined>;
  /** Links and folders that must exist before the first package is unpacked. */
  prepareRoot(root: string): Promise<void>;
  /** Runs a program of the new root on the building machine, without chroot: loader, libraries and program from the root. */
  runFromRoot(root: string, program: string, args: readonly string[], argv0?: string): Promise<string>;
  /** The package's address in a bill of materials: https://github.com/package-url/purl-spec */
  purl(entry: ResolvedPackage): string;
  /** Folders in which the base's loader looks for libraries. */
  readonly libraryFolders: readonly string[];
}
