// A copy of the disk image, as a person with a screwdriver would treat it: larger, with files on CONFIG, damaged.
import { open, stat, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { mib, partitionThatHolds } from '../../image/partition-table.ts';
import { runCommand } from '../../image/run-command.ts';

export interface GuestDisk {
  readonly file: string;
  /** Puts the text on CONFIG, as autoweave.json unless another name is given. */
  configure(text: string, name?: string): Promise<void>;
  /** Puts a file on CONFIG. */
  put(name: string, from: string): Promise<void>;
  /** A file of CONFIG as text; '' when it is not there. */
  read(name: string): Promise<string>;
  /** Whether the text is anywhere on CONFIG, in a file or in what a file has left. */
  holds(text: string): Promise<boolean>;
  /** As a larger stick. */
  enlarge(moreMiB: number): Promise<void>;
  /** Overwrites superblocks of the data partition: the first one alone, or with all its copies. */
  damageData(which: 'first' | 'all'): Promise<void>;
  /** As after an error of the disk no program can check or mount the data partition, until the returned function is called. */
  estrangeData(): Promise<() => Promise<void>>;
}

/** Blocks of 4 KiB, 32,768 of them in each group, and a copy of the superblock at the start of some groups. */
const groupBytes = 128 * mib;

export async function copyDisk(from: string, dir: string, sizeMiB?: number): Promise<GuestDisk> {
  const file = path.join(dir, `disk-${sizeMiB ?? 'exact'}.img`);
  await runCommand('cp', ['--sparse=always', from, file], { remedy: 'free space and run the test again' });
  if (sizeMiB !== undefined) await truncate(file, sizeMiB * mib);
  const at = `${file}@@${partitionThatHolds('config').startMiB}M`;
  const mtools = { from: 'mtools', remedy: 'build the image again' } as const;
  const put: GuestDisk['put'] = async (name, source) =>
    void (await runCommand('mcopy', ['-o', '-i', at, source, `::${name}`], mtools));
  return {
    file,
    put,
    async configure(text, name = 'autoweave.json') {
      const source = path.join(dir, name);
      await writeFile(source, text);
      await put(name, source);
    },
    async read(name) {
      const names = await runCommand('mdir', ['-b', '-i', at, '::'], mtools);
      return names.includes(`::/${name}\n`) ? runCommand('mtype', ['-i', at, `::${name}`], mtools) : '';
    },
    async holds(text) {
      const { startMiB, sizeMiB } = partitionThatHolds('config');
      const handle = await open(file);
      try {
        const bytes = Buffer.alloc(sizeMiB * mib);
        await handle.read(bytes, 0, bytes.length, startMiB * mib);
        return bytes.includes(text);
      } finally {
        await handle.close();
      }
    },
    enlarge: async (moreMiB) => truncate(file, (await stat(file)).size + moreMiB * mib),
    async damageData(which) {
      const { start, bytes } = await dataPartition(file);
      const handle = await open(file, 'r+');
      try {
        const end = which === 'all' ? bytes : 1;
        for (let at = 0; at < end; at += groupBytes)
          await handle.write(Buffer.alloc(65_536), 0, 65_536, start + at);
      } finally {
        await handle.close();
      }
    },
    async estrangeData() {
      const { start } = await dataPartition(file);
      const superblock = Buffer.alloc(4_096);
      await using reading = await open(file);
      await reading.read(superblock, 0, superblock.length, start);
      await runCommand('debugfs', ['-w', '-R', 'feature FEATURE_I31', `${file}?offset=${start}`], {
        from: 'e2fsprogs',
        remedy: 'the guest has made no file system',
      });
      return async () => {
        await using writing = await open(file, 'r+');
        await writing.write(superblock, 0, superblock.length, start);
      };
    },
  };
}

async function dataPartition(file: string): Promise<{ readonly start: number; readonly bytes: number }> {
  const { partitiontable } = JSON.parse(
    await runCommand('sfdisk', ['--json', file], { from: 'fdisk', remedy: 'the guest has broken the table' }),
  ) as {
    readonly partitiontable: {
      readonly partitions: readonly {
        readonly name: string;
        readonly start: number;
        readonly size: number;
      }[];
    };
  };
  const found = partitiontable.partitions.find(({ name }) => name === 'autoweave-data');
  if (found === undefined) throw new Error('the disk has no data partition: the guest has not made one');
  return { start: found.start * 512, bytes: found.size * 512 };
}
