// The bases an image can be built on, by name.
import type { BaseProvider } from './base-provider.ts';
import { type DebianOptions, debianBase } from './debian.ts';

export type BaseName = 'debian';

export function baseProvider(name: BaseName, options: DebianOptions): BaseProvider {
  switch (name) {
    case 'debian':
      return debianBase(options);
  }
}
