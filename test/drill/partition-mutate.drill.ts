// Mutated partition tables and file system heads through the parsers that look at every stick's own bytes.
import { crc32 } from 'node:zlib';
import { applyPatches, fitGpt, gptNeedsBytes } from '../../src/flash/fit-gpt.ts';
import { headerChecksum } from '../../src/flash/parse-gpt.ts';
import { hasGptSignature, parsePartitionTable } from '../../src/flash/parse-partition-table.ts';
import type { TableInput } from '../../src/flash/partition-table.ts';
import { recognizeFilesystem } from '../../src/flash/recognize-filesystem.ts';
import { tableCases } from '../flash/corpus.ts';
import { type SeededRandom, seededRandom } from '../support/seeded-random.ts';
import type { Drill } from './drill.ts';

const maxMs = 1_000;

export const drill: Drill = {
  about: 'mutated partition tables: each parses, and fits another disk, or is refused with a reason, quickly',
  rounds: 100_000,
  async run({ n, seed, say }) {
    const random = seededRandom(seed);
    const originals = [...tableCases('good'), ...tableCases('bad')].map(({ input }) => input);
    const counts = new Map<string, number>();
    let failed = 0;
    for (let round = 0; round < n; round++) {
      const began = performance.now();
      let problem: string | null = null;
      try {
        const outcome = tryOne(mutate(random.pick(originals), random), random);
        counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
        if (outcome.startsWith('WRONG')) problem = outcome;
      } catch (thrown) {
        problem = `threw ${thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)}`;
      }
      const ms = performance.now() - began;
      if (ms > maxMs) problem ??= `took ${ms.toFixed(0)} ms`;
      if (problem === null) continue;
      failed++;
      if (failed <= 10) say(`round ${round} of seed ${seed} ${problem}`);
    }
    for (const [outcome, times] of [...counts].sort((a, b) => b[1] - a[1]))
      say(`  ${String(times).padStart(9)}  ${outcome}`);
    const deep = n - (counts.get('header-checksum') ?? 0) - (counts.get('entries-checksum') ?? 0);
    say(`not stopped by a checksum: ${n === 0 ? 'none' : `${((100 * deep) / n).toFixed(1)} %`}`);
    if (n > 0 && deep / n < 0.5) {
      say('too few inputs get past the checksums to try what comes after them');
      failed++;
    }
    return failed;
  },
};

/** What was accepted must fit a disk that is large enough, and be read there as the same partitions. */
function tryOne(input: TableInput, random: SeededRandom): string {
  recognizeFilesystem(input.head);
  const verdict = parsePartitionTable(input);
  if (!verdict.ok) return verdict.problem;
  if (verdict.table?.kind !== 'gpt') return verdict.table === null ? 'no table' : 'mbr accepted';
  const { blockBytes, head } = input;
  const needed = gptNeedsBytes(verdict.table, { blockBytes });
  const sizeBytes = needed + random.integer(1_000) * blockBytes;
  const fitted = Buffer.from(head);
  applyPatches(fitted, 0, fitGpt(head, verdict.table, { sizeBytes, blockBytes }));
  const again = parsePartitionTable({ head: fitted, sizeBytes, blockBytes });
  if (!again.ok) return `WRONG: does not fit ${sizeBytes} bytes: ${again.reason}`;
  const same = JSON.stringify(again.table?.partitions) === JSON.stringify(verdict.table.partitions);
  return same ? 'gpt accepted and fitted' : 'WRONG: the fitted table has other partitions';
}

function mutate({ head, sizeBytes, blockBytes }: TableInput, random: SeededRandom): TableInput {
  let bytes: Buffer = Buffer.from(head);
  const interesting = [0, 1, 2, 33, 34, 127, 128, 0x7fff_ffff, 0xffff_ffff];
  for (let count = random.integer(5); count > 0 && bytes.length >= 2 * blockBytes; count--) {
    // Most of it where the numbers are: the header and the first entries.
    const places = [
      blockBytes + random.integer(92),
      2 * blockBytes + random.integer(640),
      446 + random.integer(64),
    ];
    const at = Math.min(random.pick(places), bytes.length - 8);
    if (random.integer(2) === 0) bytes.writeUInt32LE(random.pick(interesting), at & ~3);
    else bytes.writeUInt8(random.integer(256), at);
  }
  if (random.integer(10) === 0) bytes = bytes.subarray(0, random.integer(bytes.length + 1));
  else if (random.integer(4) !== 0) mendChecksums(bytes, blockBytes);
  return {
    head: bytes,
    sizeBytes: random.integer(20) === 0 ? random.integer(sizeBytes) : sizeBytes,
    blockBytes,
  };
}

/** An attacker computes them as well as anybody. */
function mendChecksums(head: Buffer, blockBytes: number): void {
  if (!hasGptSignature(head, blockBytes) || head.length < 2 * blockBytes) return;
  const header = head.subarray(blockBytes, 2 * blockBytes);
  const at = Number(header.readBigUInt64LE(72)) * blockBytes;
  const length = header.readUInt32LE(80) * header.readUInt32LE(84);
  if (at + length <= head.length) header.writeUInt32LE(crc32(head.subarray(at, at + length)), 88);
  const headerBytes = header.readUInt32LE(12);
  if (headerBytes >= 92 && headerBytes <= header.length)
    header.writeUInt32LE(headerChecksum(header, headerBytes), 16);
}
