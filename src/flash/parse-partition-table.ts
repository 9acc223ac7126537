// The first bytes of a disk or image -> its partition table, or the first thing that is wrong with it. Pure; hostile bytes.
import { parseGpt } from './parse-gpt.ts';
import type { MbrTable, Partition, TableInput, TableVerdict } from './partition-table.ts';

export function parsePartitionTable(input: TableInput): TableVerdict {
  return hasGptSignature(input.head, input.blockBytes)
    ? parseGpt(input)
    : { ok: true, table: parseMbr(input) };
}

export function hasGptSignature(head: Buffer, blockBytes: number): boolean {
  return head.length >= blockBytes + 8 && head.toString('latin1', blockBytes, blockBytes + 8) === 'EFI PART';
}

/**
 * The primary partitions of an MBR; null where there is none. The boot sector of a FAT or NTFS file system ends with the
 * same two bytes, but has code where the table would be: an entry that cannot be one means that there is no table.
 */
function parseMbr({ head, sizeBytes, blockBytes }: TableInput): MbrTable | null {
  if (head.length < 512 || head.readUInt16LE(510) !== 0xaa55) return null;
  const partitions: Partition[] = [];
  for (let index = 0; index < 4; index++) {
    const at = 446 + 16 * index;
    const flag = head.readUInt8(at);
    const type = head.readUInt8(at + 4);
    const firstBlock = head.readUInt32LE(at + 8);
    const blocks = head.readUInt32LE(at + 12);
    if (flag !== 0 && flag !== 0x80) return null;
    if (type === 0) continue;
    if (firstBlock === 0 || blocks === 0 || (firstBlock + blocks) * blockBytes > sizeBytes) return null;
    partitions.push({
      number: index + 1,
      firstBlock,
      lastBlock: firstBlock + blocks - 1,
      name: null,
      id: null,
    });
  }
  return partitions.length === 0 ? null : { kind: 'mbr', partitions };
}
