// A disk's own bytes -> what a person should know before they are lost: table, partitions, file systems, labels.
import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import type { Disk, DiskContent, ListedPartition } from './disk.ts';
import { maxEntriesBytes } from './parse-gpt.ts';
import { parsePartitionTable } from './parse-partition-table.ts';
import type { TableVerdict } from './partition-table.ts';
import { filesystemHeadBytes, recognizeFilesystem } from './recognize-filesystem.ts';

const headBytes = maxEntriesBytes + 64 * 1024;
/** More are not listed: a table may claim thousands. */
const maxListed = 32;

export interface ReadDisk {
  readonly content: DiskContent;
  readonly verdict: TableVerdict | null;
}

const unreadable: ReadDisk = {
  content: { table: 'unreadable', filesystem: null, label: null, partitions: [] },
  verdict: null,
};

/** Never rejects: a medium that cannot be read is content too. */
export async function readContent(disk: Pick<Disk, 'path' | 'sizeBytes' | 'blockBytes'>): Promise<ReadDisk> {
  let file: FileHandle;
  try {
    file = await open(disk.path, 'r');
  } catch {
    return unreadable;
  }
  try {
    return await readOpened(file, disk);
  } catch {
    return unreadable;
  } finally {
    await file.close();
  }
}

async function readOpened(
  file: FileHandle,
  { sizeBytes, blockBytes }: Pick<Disk, 'sizeBytes' | 'blockBytes'>,
): Promise<ReadDisk> {
  const head = await readAt(file, 0, Math.min(sizeBytes, headBytes));
  const verdict = parsePartitionTable({ head, sizeBytes, blockBytes });
  if (!verdict.ok)
    return { verdict, content: { table: 'damaged', filesystem: null, label: null, partitions: [] } };
  if (verdict.table === null) {
    const found = recognizeFilesystem(head);
    const content = { filesystem: found?.type ?? null, label: found?.label ?? null, partitions: [] };
    return { verdict, content: { table: 'none', ...content } };
  }
  const partitions: ListedPartition[] = [];
  for (const { number, firstBlock, lastBlock, name } of verdict.table.partitions.slice(0, maxListed)) {
    const size = (lastBlock - firstBlock + 1) * blockBytes;
    const bytes = await readAt(file, firstBlock * blockBytes, Math.min(size, filesystemHeadBytes));
    const found = recognizeFilesystem(bytes);
    partitions.push({
      ...{ number, name, sizeBytes: size },
      ...{ filesystem: found?.type ?? null, label: found?.label ?? null },
    });
  }
  return { verdict, content: { table: verdict.table.kind, filesystem: null, label: null, partitions } };
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  const { bytesRead } = await file.read(bytes, 0, length, position);
  return bytes.subarray(0, bytesRead);
}
