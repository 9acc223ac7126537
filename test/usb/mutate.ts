// Good bytes -> bytes that are nearly good: what a broken or hostile device might send. Every choice comes from the seed.
import type { SeededRandom } from '../support/seeded-random.ts';

type Mutation = (bytes: Buffer, random: SeededRandom, others: readonly Buffer[]) => Buffer;

const interesting = [0, 1, 2, 4, 5, 9, 0x0a, 0x0d, 0x20, 0x3d, 0x7f, 0x80, 0xfe, 0xff];

const byteMutations: readonly Mutation[] = [
  function flipBit(bytes, random) {
    const at = random.integer(bytes.length);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << random.integer(8));
    return bytes;
  },
  function replaceByte(bytes, random) {
    bytes[random.integer(bytes.length)] = random.pick(interesting);
    return bytes;
  },
  function truncate(bytes, random) {
    return bytes.subarray(0, bytes.length - random.integer(Math.min(bytes.length, 64)));
  },
  function duplicateBlock(bytes, random) {
    const { from, to } = blockOf(bytes, random);
    return Buffer.concat([bytes.subarray(0, to), bytes.subarray(from, to), bytes.subarray(to)]);
  },
  function removeBlock(bytes, random) {
    const { from, to } = blockOf(bytes, random);
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]);
  },
  function splice(bytes, random, others) {
    const other = random.pick(others);
    const { from, to } = blockOf(other, random);
    const at = random.integer(bytes.length);
    return Buffer.concat([bytes.subarray(0, at), other.subarray(from, to), bytes.subarray(at)]);
  },
];

/** Lies in the length fields of descriptors: bLength of any, wTotalLength and the counts of configurations. */
const descriptorMutations: readonly Mutation[] = [
  ...byteMutations,
  function lieInLength(bytes, random) {
    bytes[pickStart(bytes, random)] = random.pick(interesting);
    return bytes;
  },
  function lieInField(bytes, random) {
    const at = pickStart(bytes, random) + 2 + random.integer(4);
    if (at < bytes.length) bytes[at] = random.integer(256);
    return bytes;
  },
  function appendDescriptor(bytes, random, others) {
    const other = random.pick(others);
    const from = pickStart(other, random);
    return Buffer.concat([bytes, other.subarray(from, from + (other[from] ?? 0))]);
  },
];

/** Up to three changes; two of three inputs keep the part before `keep`, so that what comes after it is reached. */
function mutate(original: Buffer, random: SeededRandom, options: MutateOptions): Buffer {
  const { mutations, others, keep } = options;
  const kept = random.integer(3) === 0 ? 0 : Math.min(keep, original.length);
  let bytes: Buffer = Buffer.from(original.subarray(kept));
  for (let count = 1 + random.integer(3); count > 0 && bytes.length > 0; count--)
    bytes = random.pick(mutations)(bytes, random, others);
  return Buffer.concat([original.subarray(0, kept), bytes]);
}

interface MutateOptions {
  readonly mutations: readonly Mutation[];
  readonly others: readonly Buffer[];
  readonly keep: number;
}

export function mutateDescriptors(bytes: Buffer, random: SeededRandom, others: readonly Buffer[]): Buffer {
  return mutate(bytes, random, { mutations: descriptorMutations, others, keep: 18 });
}

export function mutateTranscript(bytes: Buffer, random: SeededRandom, others: readonly Buffer[]): Buffer {
  return mutate(bytes, random, { mutations: byteMutations, others, keep: 0 });
}

function blockOf(bytes: Buffer, random: SeededRandom): { readonly from: number; readonly to: number } {
  const from = random.integer(bytes.length);
  return { from, to: Math.min(bytes.length, from + 1 + random.integer(64)) };
}

/** Where a descriptor begins; a good set has several. */
function pickStart(bytes: Buffer, random: SeededRandom): number {
  const starts: number[] = [];
  for (let at = 0; at < bytes.length; at += Math.max(2, bytes[at] ?? 2)) starts.push(at);
  return random.pick(starts);
}
