// The libraries that a program of the root needs, and the libraries those need, as paths inside the root.
import { existsSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { elfNeeds } from './elf-needed.ts';
import { ImageError } from './image-error.ts';

export interface Libraries {
  readonly files: readonly string[];
  readonly loader: string | undefined;
}

export function librariesOf(root: string, program: string, folders: readonly string[]): Libraries {
  const found = new Set<string>();
  const visit = (file: string) => {
    for (const name of elfNeeds(path.join(root, file))?.libraries ?? []) {
      const library = folders
        .map((folder) => path.join(folder, name))
        .find((at) => existsSync(path.join(root, at)));
      if (library === undefined)
        throw new ImageError(
          'image.library-missing',
          `find ${name}, which /${file} needs: it is in no package of the base; take it off "leaveOut" or add its package`,
        );
      if (found.has(library)) continue;
      found.add(library);
      visit(library);
    }
  };
  visit(program);
  const loader = elfNeeds(path.join(root, program))?.loader;
  return { files: [...found], loader: loader && path.relative(realpathSync(root), realLoader(root, loader)) };
}

/** The loader's path goes over links of the root that are relative, so it can be followed from outside. */
function realLoader(root: string, loader: string): string {
  return realpathSync(path.join(root, loader));
}
