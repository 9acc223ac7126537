// The folder of the archive as the few operations that it needs; each is durable when it resolves, renames after syncFolder().
import { type FileHandle, mkdir, open, readdir, rename, rm, statfs } from 'node:fs/promises';
import path from 'node:path';

export interface Room {
  readonly freeBytes: number;
  readonly totalBytes: number;
}

/** All reject with the system's error (`code`). */
export interface ArchiveFiles {
  /** Empty when there is no folder yet. The names are durable: a process that ended in between may have renamed without a sync. */
  list(): Promise<readonly string[]>;
  /** A new file with these bytes, fsynced; its name is durable after syncFolder(). */
  create(name: string, bytes: Buffer): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  syncFolder(): Promise<void>;
  /** Not there is fine. */
  remove(name: string): Promise<void>;
  /** Cuts it to its first `bytes`, fsynced. */
  cut(name: string, bytes: number): Promise<void>;
  /** At most so many bytes from the beginning. */
  read(name: string, maxBytes: number): Promise<Buffer>;
  /** Of the disk the folder is on, for an ordinary user. */
  room(): Promise<Room>;
}

export function archiveFiles(folder: string): ArchiveFiles {
  const at = (name: string) => path.join(folder, name);
  return {
    async list() {
      try {
        await withFile(await open(folder, 'r'), (directory) => directory.sync());
        return await readdir(folder);
      } catch (thrown) {
        if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return [];
        throw thrown;
      }
    },
    async create(name, bytes) {
      if ((await mkdir(folder, { recursive: true, mode: 0o700 })) !== undefined)
        await withFile(await open(path.dirname(folder), 'r'), (parent) => parent.sync());
      await withFile(await open(at(name), 'w', 0o600), async (file) => {
        await file.writeFile(bytes);
        await file.sync();
      });
    },
    rename: (from, to) => rename(at(from), at(to)),
    syncFolder: async () => withFile(await open(folder, 'r'), (directory) => directory.sync()),
    remove: (name) => rm(at(name), { force: true }),
    cut: async (name, bytes) =>
      withFile(await open(at(name), 'r+'), async (file) => {
        await file.truncate(bytes);
        await file.sync();
      }),
    read: async (name, maxBytes) => withFile(await open(at(name), 'r'), (file) => readUpTo(file, maxBytes)),
    async room() {
      const existing = await statfs(folder).catch(() => statfs(path.dirname(folder)));
      const { bavail, blocks, bsize } = existing;
      return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
    },
  };
}

async function readUpTo(file: FileHandle, maxBytes: number): Promise<Buffer> {
  const { size } = await file.stat();
  const buffer = Buffer.alloc(Math.min(size, maxBytes));
  let length = 0;
  while (length < buffer.length) {
    const { bytesRead } = await file.read(buffer, length, buffer.length - length, length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return buffer.subarray(0, length);
}

async function withFile<T>(file: FileHandle, act: (file: FileHandle) => Promise<T>): Promise<T> {
  try {
    return await act(file);
  } finally {
    await file.close();
  }
}
