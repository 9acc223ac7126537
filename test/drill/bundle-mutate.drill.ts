// Flipped bits of a signed bundle, which are all refused, and mutated tars behind a good signature, which open only as what they are.

import { bundleLimits } from '../../src/bundle/bundle-limits.ts';
import { openGzip, toGzip } from '../../src/bundle/gzip-frame.ts';
import { manifestText } from '../../src/bundle/read-manifest.ts';
import { blockBytes } from '../../src/bundle/tar-header.ts';
import { verifyBundle } from '../../src/bundle/verify-bundle.ts';
import { signContent } from '../../src/trust/sign-content.ts';
import { signersOf } from '../../src/trust/signers.ts';
import { judge, packed, publisher } from '../bundle/test-bundle.ts';
import { type SeededRandom, seededRandom } from '../support/seeded-random.ts';
import type { Drill } from './drill.ts';

const maxMs = 1_000;

export const drill: Drill = {
  about:
    'flipped bits of a signed bundle are refused; mutated tars under a good signature never crash the reader',
  rounds: 20_000,
  async run({ n, seed, say }) {
    const random = seededRandom(seed);
    const { bytes } = packed();
    const flipped = await flipEveryBit(bytes, say);
    const opened = openGzip(bytes, bundleLimits.unpackedBytes);
    if (!opened.ok) throw new Error(opened.reason);
    const counts = new Map<string, number>();
    let failed = flipped;
    for (let round = 0; round < n; round++) {
      const began = performance.now();
      const tar = mutate(opened.bytes, random);
      const problem = await tryOne(tar, opened.bytes, counts);
      const ms = performance.now() - began;
      const told = problem ?? (ms > maxMs ? `took ${ms.toFixed(0)} ms` : null);
      if (told === null) continue;
      failed++;
      if (failed <= 10) say(`round ${round} of seed ${seed}: ${told}`);
    }
    for (const [code, times] of [...counts].sort((a, b) => b[1] - a[1]))
      say(`  ${String(times).padStart(9)}  ${code}`);
    if (n >= 1_000 && counts.size < 8) {
      say(`only ${counts.size} kinds of refusal: the mutations do not reach what they should`);
      failed++;
    }
    return failed;
  },
};

async function flipEveryBit(bytes: Buffer, say: (line: string) => void): Promise<number> {
  const text = await signContent(bytes, publisher, 'drill');
  const signers = signersOf([publisher.public]);
  const intact = await verifyBundle(bytes, text, signers, 0);
  let accepted = intact.ok ? 0 : 1;
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const changed = Buffer.from(bytes);
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    const verdict = await verifyBundle(changed, text, signers, 0);
    if (verdict.ok || verdict.code !== 'trust.bad-signature') {
      accepted++;
      say(`bit ${bit} flipped: ${verdict.ok ? 'accepted' : verdict.code}`);
    }
  }
  say(`${bytes.length * 8} flipped bits, ${accepted} not refused by the signature`);
  return accepted;
}

/** Accepted is only what means the same as the original; a reader that throws has crashed. */
async function tryOne(tar: Buffer, original: Buffer, counts: Map<string, number>): Promise<string | null> {
  try {
    const verdict = await judge(toGzip(tar));
    const code = verdict.ok ? 'accepted' : verdict.code;
    counts.set(code, (counts.get(code) ?? 0) + 1);
    if (!verdict.ok) return verdict.reason === '' ? 'refused without a reason' : null;
    // The manifest alone may differ, and it says so of itself.
    const { manifest } = verdict.bundle;
    const first = tar.toString('utf8', blockBytes, blockBytes + Buffer.byteLength(manifestText(manifest)));
    return tar.equals(original) || first === manifestText(manifest)
      ? null
      : 'accepted and read as something else';
  } catch (thrown) {
    return `threw ${thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)}`;
  }
}

function mutate(original: Buffer, random: SeededRandom): Buffer {
  let bytes = Buffer.from(original);
  const interesting = [
    '\0',
    '0',
    '1',
    '5',
    'x',
    '/',
    '..',
    '7777777',
    'ustar',
    '\x80\0\0\0',
    '"',
    '{',
    '9'.repeat(20),
  ];
  for (let count = 1 + random.integer(4); count > 0; count--) {
    const block = random.integer(Math.ceil(bytes.length / blockBytes)) * blockBytes;
    const at = Math.min(bytes.length - 1, block + random.integer(blockBytes));
    const kind = random.integer(6);
    if (kind === 0) bytes[at] = random.integer(256);
    else if (kind === 1) bytes.write(random.pick(interesting), at, 'latin1');
    else if (kind === 2)
      bytes = Buffer.concat([bytes.subarray(0, block), bytes.subarray(block + blockBytes)]);
    else if (kind === 3)
      bytes = Buffer.concat([bytes.subarray(0, block), bytes.subarray(0, block), bytes.subarray(block)]);
    else if (kind === 4)
      bytes.write(
        random.pick(interesting),
        Math.min(bytes.length - 1, block + random.pick([0, 100, 124, 156, 345])),
        'latin1',
      );
    else bytes = bytes.subarray(0, Math.max(1, random.integer(bytes.length + 1)));
    if (random.integer(3) > 0) mendChecksums(bytes);
  }
  return bytes;
}

/** An attacker computes them as well as anybody. */
function mendChecksums(bytes: Buffer): void {
  for (let at = 0; at + blockBytes <= bytes.length; at += blockBytes) {
    const header = bytes.subarray(at, at + blockBytes);
    if (header.toString('latin1', 257, 262) !== 'ustar') continue;
    header.write('        ', 148, 'latin1');
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  }
}
