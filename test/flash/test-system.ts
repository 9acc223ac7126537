// A computer in a folder: sysfs, proc and dev, with regular files where the disks would be.
import { mkdir, open, symlink, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { SystemRoots } from '../../src/flash/disk.ts';
import { tempDir } from '../support/temp-dir.ts';
import type { Cleanup } from '../support/with-cleanup.ts';

export interface TestDisk {
  readonly name: string;
  readonly sizeBytes: number;
  /** Below /sys/devices, up to and without `block`. */
  readonly on?: string;
  /** Files of the disk's folder. */
  readonly attributes?: Readonly<Record<string, string>>;
  readonly partitions?: readonly string[];
  /** Filled with this byte, so that it can be told whether anything was written. */
  readonly fill?: number;
}

export interface TestSystem {
  readonly roots: SystemRoots;
  readonly dir: string;
  /** Path of a disk. */
  disk(name: string): string;
}

export const usbPlace = 'pci0000:00/0000:00:14.0/usb1/1-1';

export async function testSystem(
  t: Cleanup,
  options: {
    readonly disks: readonly TestDisk[];
    readonly mountinfo?: string;
    readonly swaps?: string;
    readonly commandLine?: string;
  },
): Promise<TestSystem> {
  const dir = await tempDir(t);
  const roots = { sys: path.join(dir, 'sys'), proc: path.join(dir, 'proc'), dev: path.join(dir, 'dev') };
  for (const folder of ['sys/block', 'proc/self', 'dev'])
    await mkdir(path.join(dir, folder), { recursive: true });
  await write(roots.proc, {
    'self/mountinfo': options.mountinfo ?? '',
    swaps: `Filename Type Size Used Priority\n${options.swaps ?? ''}`,
    cmdline: options.commandLine ?? '',
  });
  await write(path.join(roots.sys, 'devices', usbPlace), {
    idVendor: '0781',
    manufacturer: 'SanDisk',
    product: 'Ultra',
    serial: '4C53\u001b[31m',
  });
  let minor = 0;
  for (const { name, sizeBytes, on, attributes = {}, partitions = [], fill } of options.disks) {
    const folder = path.join(roots.sys, 'devices', on ?? `${usbPlace}/1-1:1.0/host0`, 'block', name);
    await write(folder, {
      dev: `8:${minor}`,
      size: String(sizeBytes / 512),
      removable: '0',
      ro: '0',
      diskseq: String(minor + 7),
      'queue/logical_block_size': '512',
      ...attributes,
    });
    for (const [index, part] of partitions.entries())
      await write(path.join(folder, part), {
        dev: `8:${minor + index + 1}`,
        size: '2048',
        partition: String(index + 1),
      });
    await symlink(folder, path.join(roots.sys, 'block', name));
    const file = path.join(roots.dev, name);
    await writeFile(file, '');
    await truncate(file, sizeBytes);
    if (fill !== undefined) await fillFile(file, sizeBytes, fill);
    minor += 16;
  }
  return { roots, dir, disk: (name) => path.join(roots.dev, name) };
}

async function fillFile(file: string, sizeBytes: number, value: number): Promise<void> {
  await using handle = await open(file, 'r+');
  const block = Buffer.alloc(1024 * 1024, value);
  for (let at = 0; at < sizeBytes; at += block.length)
    await handle.write(block, 0, Math.min(block.length, sizeBytes - at), at);
}

async function write(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(folder, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, `${text}\n`);
  }
}
