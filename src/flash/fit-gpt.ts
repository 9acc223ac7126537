// An image's partition table on a disk of another size -> the bytes to change, so that the backup table is at the disk's end. Pure.
import { crc32 } from 'node:zlib';
import { guidBytes, headerChecksum } from './parse-gpt.ts';
import type { GptTable } from './partition-table.ts';

export interface Patch {
  readonly position: number;
  readonly bytes: Buffer;
}

export interface FitOptions {
  readonly sizeBytes: number;
  readonly blockBytes: number;
  /** Numbers of partitions that the copy shall not have. */
  readonly without?: readonly number[];
  /** Makes GUIDs for the disk and its partitions; left out: the image's. */
  readonly newGuid?: () => string;
}

/** UEFI 2.10, 5.3: both headers name each other; the backup's entries are before it, at the very end. */
export function fitGpt(head: Buffer, table: GptTable, options: FitOptions): readonly Patch[] {
  const { blockBytes } = options;
  const lastBlock = Math.floor(options.sizeBytes / blockBytes) - 1;
  const entries = entriesOf(head, table, options);
  const entriesBlocks = Math.ceil(entries.length / blockBytes);
  const backupEntries = lastBlock - entriesBlocks;

  const primary = Buffer.from(head.subarray(blockBytes, 2 * blockBytes));
  primary.writeBigUInt64LE(BigInt(lastBlock), 32);
  primary.writeBigUInt64LE(BigInt(backupEntries - 1), 48);
  primary.writeUInt32LE(crc32(entries), 88);
  if (options.newGuid !== undefined) guidBytes(options.newGuid()).copy(primary, 56);
  const backup = Buffer.from(primary);
  backup.writeBigUInt64LE(BigInt(lastBlock), 24);
  backup.writeBigUInt64LE(1n, 32);
  backup.writeBigUInt64LE(BigInt(backupEntries), 72);
  for (const header of [primary, backup]) header.writeUInt32LE(headerChecksum(header, table.headerBytes), 16);

  return [
    ...protective(head, lastBlock),
    { position: blockBytes, bytes: primary },
    { position: table.entriesBlock * blockBytes, bytes: entries },
    { position: backupEntries * blockBytes, bytes: entries },
    { position: lastBlock * blockBytes, bytes: backup },
  ];
}

/** Bytes that a disk needs so that the backup table has a place behind the last partition. */
export function gptNeedsBytes(
  table: GptTable,
  { blockBytes, without = [] }: Pick<FitOptions, 'blockBytes' | 'without'>,
): number {
  const kept = table.partitions.filter(({ number }) => !without.includes(number));
  const last = Math.max(table.firstUsable, ...kept.map(({ lastBlock }) => lastBlock));
  return (last + 1 + Math.ceil((table.entryCount * table.entryBytes) / blockBytes) + 1) * blockBytes;
}

function entriesOf(head: Buffer, table: GptTable, options: FitOptions): Buffer {
  const { blockBytes, newGuid, without = [] } = options;
  const at = table.entriesBlock * blockBytes;
  const entries = Buffer.from(head.subarray(at, at + table.entryCount * table.entryBytes));
  if (newGuid !== undefined)
    for (const { number } of table.partitions)
      guidBytes(newGuid()).copy(entries, (number - 1) * table.entryBytes + 16);
  for (const number of without) entries.fill(0, (number - 1) * table.entryBytes, number * table.entryBytes);
  return entries;
}

/** The protective MBR covers the whole disk, or as much of it as 32 bits can say. */
function protective(head: Buffer, lastBlock: number): readonly Patch[] {
  for (let at = 446; at < 510; at += 16) {
    if (head.readUInt8(at + 4) !== 0xee) continue;
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(Math.min(lastBlock, 0xffff_ffff));
    return [{ position: at + 12, bytes }];
  }
  return [];
}

/** Changes those bytes of `chunk`, which begins at `position` of the disk, that a patch covers; whether there were any. */
export function applyPatches(chunk: Buffer, position: number, patches: readonly Patch[]): boolean {
  let changed = false;
  for (const patch of patches) {
    const from = Math.max(patch.position, position);
    const to = Math.min(patch.position + patch.bytes.length, position + chunk.length);
    if (from >= to) continue;
    patch.bytes.copy(chunk, from - position, from - patch.position, to - patch.position);
    changed = true;
  }
  return changed;
}
