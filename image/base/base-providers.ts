// The bases an image can be built on, by name.
import type { BaseProvider } from './base-provider.ts';
import { type DebianOptions, debianBase } from './debian.ts';

export const baseNames = ['debian'] as const;
export type BaseName = (typeof baseNames)[number];

export function isBaseName(name: string): name is BaseName {
  return baseNames.some((known) => known === name);
}

export function baseProvider(name: BaseName, options: DebianOptions): BaseProvider {
  switch (name) {
    case 'debian':
      return debianBase(options);
  }
}
