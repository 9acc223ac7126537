// Which files the sandbox must show for Node to run in it: those this very process has mapped, and nothing else.
import { open, readdir, readFile, realpath } from 'node:fs/promises';
import path from 'node:path';

export interface RuntimeFiles {
  /** The program itself, as the sandbox is to start it. */
  readonly node: string;
  /** File outside -> where the loader inside looks for it; may name one file several times. */
  readonly binds: readonly (readonly [from: string, to: string])[];
}

/** @throws the error of the file system when /proc is not there. */
export async function readRuntimeFiles(execPath = process.execPath): Promise<RuntimeFiles> {
  const node = await realpath(execPath);
  const maps = await readFile('/proc/self/maps', 'utf8');
  const libraries = new Set(
    [...maps.matchAll(/ (\/.*\.so[.0-9]*)$/gm)].map(([, file]) => file ?? '').filter((file) => file !== ''),
  );
  const binds: [string, string][] = [[node, node]];
  for (const file of libraries) {
    binds.push([file, file]);
    for (const name of await otherNames(file)) binds.push([file, name]);
  }
  const loader = await interpreterOf(node);
  if (loader !== null) binds.push([await realpath(loader), loader]);
  return { node, binds: unique(binds) };
}

/** The loader asks for a library by the name of a link (libstdc++.so.6), in the folder where it found the others. */
async function otherNames(file: string): Promise<string[]> {
  const folder = path.dirname(file);
  const [stem = ''] = path.basename(file).split('.so');
  const names: string[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (!entry.isSymbolicLink() || !entry.name.startsWith(`${stem}.so`)) continue;
    const link = path.join(folder, entry.name);
    if ((await realpath(link).catch(() => '')) === file) names.push(link);
  }
  // Where /lib is a link to /usr/lib, the loader may be told either.
  return names;
}

/** PT_INTERP of a 64-bit little-endian ELF file; null for a static program. */
async function interpreterOf(program: string): Promise<string | null> {
  const handle = await open(program);
  try {
    const header = await readAt(handle, 0, 64);
    const [at, size, count] = [
      Number(header.readBigUInt64LE(32)),
      header.readUInt16LE(54),
      header.readUInt16LE(56),
    ];
    const table = await readAt(handle, at, size * count);
    for (let index = 0; index < count; index++) {
      const entry = table.subarray(index * size, (index + 1) * size);
      if (entry.readUInt32LE(0) !== 3) continue;
      const text = await readAt(
        handle,
        Number(entry.readBigUInt64LE(8)),
        Number(entry.readBigUInt64LE(32)) - 1,
      );
      return text.toString();
    }
    return null;
  } finally {
    await handle.close();
  }
}

async function readAt(handle: Awaited<ReturnType<typeof open>>, position: number, length: number) {
  const { buffer, bytesRead } = await handle.read({ buffer: Buffer.alloc(length), position });
  return buffer.subarray(0, bytesRead);
}

function unique(binds: readonly [string, string][]): [string, string][] {
  return [...new Map(binds.map((bind) => [bind[1], bind])).values()];
}
