// The bases an image can be built on, by name.
import { ImageError } from '../image-error.ts';
import { type AlpineOptions, alpineBase } from './alpine.ts';
import type { Architecture, BaseProvider } from './base-provider.ts';
import { architectureOfHost, type DebianOptions, debianBase } from './debian.ts';

export const baseNames = ['alpine', 'debian'] as const;
export type BaseName = (typeof baseNames)[number];

export interface BaseOptions extends DebianOptions, Omit<AlpineOptions, 'architecture'> {
  /** Default: this machine's. */
  readonly architecture?: Architecture | undefined;
}

export function isBaseName(name: string): name is BaseName {
  return baseNames.some((known) => known === name);
}

export function baseProvider(name: BaseName, options: BaseOptions): BaseProvider {
  const architecture = options.architecture ?? architectureOfHost();
  switch (name) {
    case 'alpine':
      return alpineBase({ ...options, architecture });
    case 'debian':
      if (architecture === architectureOfHost()) return debianBase(options);
      throw new ImageError(
        'image.host-unsuitable',
        `choose the architecture ${architecture}: the base debian is built for the building machine alone; take --base alpine`,
      );
  }
}
