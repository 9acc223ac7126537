// Runs a program of a new root on the building machine: the root's own loader with the root's libraries; no chroot, nothing privileged.
import path from 'node:path';
import { elfNeeds } from '../elf-needed.ts';
import { runCommand } from '../run-command.ts';

export interface ProgramOfRoot {
  readonly root: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly argv0?: string | undefined;
  readonly libraryFolders: readonly string[];
}

export function runFromRoot({ root, program, args, argv0, libraryFolders }: ProgramOfRoot): Promise<string> {
  const file = path.join(root, program);
  const name = argv0 ?? path.basename(program);
  const remedy = 'the base is incomplete; delete the cache folder and build again';
  // The links of a root are relative (lib -> usr/lib), so its loader is found from outside as well.
  const loader = elfNeeds(file)?.loader;
  if (loader === undefined) return runCommand(file, args, { remedy, argv0: name });
  const folders = libraryFolders.map((folder) => path.join(root, folder)).join(':');
  const asked = ['--argv0', name, '--library-path', folders, file, ...args];
  return runCommand(path.join(root, loader), asked, { remedy });
}
