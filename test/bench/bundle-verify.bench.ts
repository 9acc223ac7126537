// A plugin bundle of 1 MB from bytes to `VerifiedBundle`, beside hashing the same bytes once; libsodium is loaded before.
import { createHash, randomBytes } from 'node:crypto';
import { verifyBundle } from '../../src/bundle/verify-bundle.ts';
import { signContent } from '../../src/trust/sign-content.ts';
import { signersOf } from '../../src/trust/signers.ts';
import { goodMembers, packed, publisher } from '../bundle/test-bundle.ts';
import { type BenchRow, benchRow } from './bench-row.ts';

const rounds = 101;

export async function* bench(): AsyncIterable<BenchRow> {
  const line = () =>
    `export const x${randomBytes(8).toString('hex')} = ${randomBytes(3).readUIntBE(0, 3)};\n`;
  const code = Array.from({ length: 40_000 }, line).join('').slice(0, 1_000_000);
  const cases = [
    ['1 MB that does not compress', 'assets/data.bin', randomBytes(1_000_000)],
    ['1 MB of code', 'plugin.mjs', Buffer.from(code)],
  ] as const;
  for (const [what, name, content] of cases) {
    const { bytes } = packed({}, new Map([...goodMembers(), [name, content]]));
    const text = await signContent(bytes, publisher, 'bench');
    const signers = signersOf([publisher.public]);
    const ours: number[] = [];
    const limit: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const began = performance.now();
      const verdict = await verifyBundle(bytes, text, signers, 0);
      const verified = performance.now();
      createHash('blake2b512').update(bytes).digest();
      const hashed = performance.now();
      if (!verdict.ok) throw new Error(verdict.reason);
      ours.push(verified - began);
      limit.push(hashed - verified);
    }
    for (const [label, share] of [
      ['p50', 0.5],
      ['p95', 0.95],
    ] as const)
      yield benchRow(`bundle: verify + validate ${what}, ${label}`, at(ours, share), at(limit, share), 'ms');
  }
}

function at(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN;
}
