// The compiler for musl that Debian's package musl-tools brings, told where the kernel's headers are.
import { mkdir, rm, symlink } from 'node:fs/promises';
import path from 'node:path';
import { keptPart } from './part-store.ts';

/** Of the kernel's headers only these: the C library's own must not be found beside them. */
const kernelHeaders: Readonly<Record<string, string>> = {
  linux: '/usr/include/linux',
  'asm-generic': '/usr/include/asm-generic',
  asm: '/usr/include/x86_64-linux-gnu/asm',
  mtd: '/usr/include/mtd',
};

export async function muslCompiler(): Promise<readonly [string, ...string[]]> {
  const folder = await keptPart('kernel-headers', async (made) => {
    await rm(made, { recursive: true });
    await mkdir(made);
    for (const [name, target] of Object.entries(kernelHeaders)) await symlink(target, path.join(made, name));
  });
  return ['musl-gcc', '-idirafter', folder];
}
