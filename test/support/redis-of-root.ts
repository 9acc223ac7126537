// The Redis of a built root, started on this machine: what an image wrote is read by the version that the image has.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { BuiltRoot } from '../../image/build-root.ts';
import { elfNeeds } from '../../image/elf-needed.ts';

/** Makes `folder` with programs that start those of the root; for `startRedis({ programs })`. */
export function redisOfRoot({ tree, libraryFolders }: BuiltRoot, folder: string): string {
  mkdirSync(folder, { recursive: true });
  for (const name of ['redis-server', 'redis-check-aof']) {
    const program = path.join(tree, 'usr/bin', name);
    const loader = elfNeeds(program)?.loader;
    const libraries = libraryFolders.map((each) => path.join(tree, each)).join(':');
    const started =
      loader === undefined
        ? `'${program}'`
        : `'${path.join(tree, loader)}' --argv0 ${name} --library-path '${libraries}' '${program}'`;
    writeFileSync(path.join(folder, name), `#!/bin/sh\nexec ${started} "$@"\n`, { mode: 0o755 });
  }
  return folder;
}
