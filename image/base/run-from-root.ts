// Runs a program of a new root on the building machine: the root's own loader with the root's libraries; no chroot, nothing privileged.
import path from 'node:path';
import { elfNeeds } from '../elf-needed.ts';
import { runCommand } from '../run-command.ts';
import type { Architecture } from './base-provider.ts';

export interface ProgramOfRoot {
  readonly root: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly argv0?: string | undefined;
  readonly libraryFolders: readonly string[];
  readonly architecture: Architecture;
}

const emulators = { x64: 'qemu-x86_64-static', arm64: 'qemu-aarch64-static' } as const;

export function runFromRoot(wish: ProgramOfRoot): Promise<string> {
  const { root, program, args, libraryFolders, architecture } = wish;
  const file = path.join(root, program);
  const name = wish.argv0 ?? path.basename(program);
  const remedy = 'the base is incomplete; delete the cache folder and build again';
  // The links of a root are relative (lib -> usr/lib), so its loader is found from outside as well.
  const loader = elfNeeds(file)?.loader;
  const folders = libraryFolders.map((folder) => path.join(root, folder)).join(':');
  const command =
    loader === undefined
      ? [file]
      : [path.join(root, loader), '--argv0', name, '--library-path', folders, file];
  const [first = '', ...rest] =
    architecture === process.arch ? command : [emulators[architecture], '-0', name, ...command];
  return runCommand(first, [...rest, ...args], { remedy, argv0: name, from: 'qemu-user-static' });
}
