// An image as the builder would make it: the corpus' partition table, noise in the partitions, file system heads, backup table.
import { open } from 'node:fs/promises';
import { applyPatches, fitGpt } from '../../src/flash/fit-gpt.ts';
import { parsePartitionTable } from '../../src/flash/parse-partition-table.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { tableCases } from './corpus.ts';

const mebibyte = 1024 * 1024;

/** esp 1-3 MiB, slot-a -7, slot-b -11, config -12, data to the end. */
export const imageBytes = 16 * mebibyte;

/** Noise only where it matters for speed: some of each MiB. */
export function testImage(seed = 1): Buffer {
  const found = tableCases('good').find(({ name }) => name === 'gpt-small');
  if (found === undefined) throw new Error('test/corpus/flash has no gpt-small');
  const image = Buffer.alloc(imageBytes);
  found.input.head.copy(image);
  const random = seededRandom(seed);
  for (let at = mebibyte; at < 15 * mebibyte; at += mebibyte)
    for (let word = 0; word < 1024; word++) image.writeUInt32LE(random.integer(2 ** 32), at + 4 * word);
  const verdict = parsePartitionTable(found.input);
  if (!verdict.ok || verdict.table?.kind !== 'gpt') throw new Error('the corpus table is not one');
  applyPatches(image, 0, fitGpt(image, verdict.table, { sizeBytes: imageBytes, blockBytes: 512 }));
  return image;
}

export async function flipByte(file: string, position: number): Promise<void> {
  await using handle = await open(file, 'r+');
  const byte = Buffer.alloc(1);
  await handle.read(byte, 0, 1, position);
  byte.writeUInt8(byte.readUInt8(0) ^ 0x10);
  await handle.write(byte, 0, 1, position);
}
