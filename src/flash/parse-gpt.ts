// A GUID partition table (UEFI 2.10, chapter 5) -> GptTable, every length and checksum looked at before it is used. Pure.
import { crc32 } from 'node:zlib';
import type { GptTable, Partition, TableInput, TableProblem, TableVerdict } from './partition-table.ts';
import { printable } from './printable.ts';

/** UEFI asks for 16 KiB at least; beyond this nobody goes. */
export const maxEntriesBytes = 512 * 1024;
const emptyType = '00000000-0000-0000-0000-000000000000';

/** Expects the signature to be there. */
export function parseGpt({ head, sizeBytes, blockBytes }: TableInput): TableVerdict {
  const blocks = Math.floor(sizeBytes / blockBytes);
  const header = head.subarray(blockBytes, 2 * blockBytes);
  if (header.length < 512) return refused('header-size', `the header has ${header.length} bytes`);
  const headerBytes = header.readUInt32LE(12);
  if (headerBytes < 92 || headerBytes > header.length)
    return refused('header-size', `the header claims ${headerBytes} bytes`);
  if (headerChecksum(header, headerBytes) !== header.readUInt32LE(16))
    return refused('header-checksum', 'the checksum of the header is wrong');
  if (header.readBigUInt64LE(24) !== 1n)
    return refused('own-place', 'the header says that it belongs elsewhere');

  const backupBlock = blockNumber(header, 32);
  const firstUsable = blockNumber(header, 40);
  const lastUsable = blockNumber(header, 48);
  const entriesBlock = blockNumber(header, 72);
  const entryCount = header.readUInt32LE(80);
  const entryBytes = header.readUInt32LE(84);
  if (entryBytes < 128 || entryBytes > 4096 || (entryBytes & (entryBytes - 1)) !== 0)
    return refused('entries-size', `an entry claims ${entryBytes} bytes`);
  if (entryCount === 0 || entryCount * entryBytes > maxEntriesBytes)
    return refused('entries-size', `the table claims ${entryCount} entries of ${entryBytes} bytes`);
  const entriesEnd = entriesBlock + Math.ceil((entryCount * entryBytes) / blockBytes);
  const entriesAt = entriesBlock * blockBytes;
  if (entriesBlock < 2 || entriesAt + entryCount * entryBytes > head.length)
    return refused('entries-place', `the entries are said to be at block ${entriesBlock}`);
  if (firstUsable < entriesEnd || lastUsable < firstUsable || lastUsable >= blocks)
    return refused(
      'usable-range',
      `blocks ${firstUsable} to ${lastUsable} of ${blocks} are said to be usable`,
    );

  const entries = head.subarray(entriesAt, entriesAt + entryCount * entryBytes);
  if (crc32(entries) !== header.readUInt32LE(88))
    return refused('entries-checksum', 'the checksum of the entries is wrong');
  const partitions = parseEntries(entries, entryBytes);
  const wrong = wrongPartition(partitions, firstUsable, lastUsable);
  if (wrong !== null) return wrong;
  const table: GptTable = {
    ...{ kind: 'gpt', diskId: guid(header, 56), headerBytes, backupBlock, firstUsable, lastUsable },
    ...{ entriesBlock, entryBytes, entryCount, partitions },
  };
  return { ok: true, table };
}

/** Over the header with its own field as zero. */
export function headerChecksum(header: Buffer, headerBytes: number): number {
  const copy = Buffer.from(header.subarray(0, headerBytes));
  copy.writeUInt32LE(0, 16);
  return crc32(copy);
}

function parseEntries(entries: Buffer, entryBytes: number): readonly Partition[] {
  const partitions: Partition[] = [];
  for (let at = 0; at < entries.length; at += entryBytes) {
    if (guid(entries, at) === emptyType) continue;
    partitions.push({
      number: at / entryBytes + 1,
      firstBlock: blockNumber(entries, at + 32),
      lastBlock: blockNumber(entries, at + 40),
      name: printable(entries.toString('utf16le', at + 56, at + 128)),
      id: guid(entries, at + 16),
    });
  }
  return partitions;
}

function wrongPartition(
  partitions: readonly Partition[],
  firstUsable: number,
  lastUsable: number,
): TableVerdict | null {
  let previous: Partition | undefined;
  for (const each of [...partitions].sort((a, b) => a.firstBlock - b.firstBlock)) {
    const { number, firstBlock, lastBlock } = each;
    if (firstBlock < firstUsable || lastBlock > lastUsable || lastBlock < firstBlock)
      return refused('partition-range', `partition ${number} claims blocks ${firstBlock} to ${lastBlock}`);
    if (previous !== undefined && firstBlock <= previous.lastBlock)
      return refused('partition-overlap', `partitions ${previous.number} and ${number} overlap`);
    previous = each;
  }
  return null;
}

/** Beyond 2^53 there is no disk: such a number becomes Infinity and fails every range check. */
function blockNumber(bytes: Buffer, at: number): number {
  const value = bytes.readBigUInt64LE(at);
  return value > BigInt(Number.MAX_SAFE_INTEGER) ? Number.POSITIVE_INFINITY : Number(value);
}

/** The first three groups are little-endian. */
function guid(bytes: Buffer, at: number): string {
  const hex = (from: number, to: number) => bytes.toString('hex', at + from, at + to);
  const swapped = (from: number, to: number) =>
    Buffer.from(bytes.subarray(at + from, at + to))
      .reverse()
      .toString('hex');
  return [swapped(0, 4), swapped(4, 6), swapped(6, 8), hex(8, 10), hex(10, 16)].join('-');
}

/** The 16 bytes of a GUID as a table has them. */
export function guidBytes(text: string): Buffer {
  const [low = '', middle = '', high = '', ...rest] = text.split('-');
  const swapped = [low, middle, high].map((group) => Buffer.from(group, 'hex').reverse());
  return Buffer.concat([...swapped, Buffer.from(rest.join(''), 'hex')]);
}

function refused(problem: TableProblem, reason: string): TableVerdict {
  return { ok: false, problem, reason };
}
