// The names of the libraries an ELF program asks its loader for, and the loader itself.
import { closeSync, openSync, readSync } from 'node:fs';

export interface ElfNeeds {
  readonly libraries: readonly string[];
  readonly loader: string | undefined;
}

const segment = { load: 1, dynamic: 2, interpreter: 3 } as const;
const dynamic = { end: 0n, needed: 1n, strings: 5n } as const;

/** Returns undefined for anything that is not a little-endian 64-bit ELF file. */
export function elfNeeds(file: string): ElfNeeds | undefined {
  const descriptor = openSync(file, 'r');
  try {
    return needsOf((offset, length) => {
      const bytes = Buffer.alloc(length);
      return bytes.subarray(0, readSync(descriptor, bytes, 0, length, offset));
    });
  } finally {
    closeSync(descriptor);
  }
}

function needsOf(read: (offset: number, length: number) => Buffer): ElfNeeds | undefined {
  const head = read(0, 64);
  if (head.length < 64 || head.readUInt32BE(0) !== 0x7f454c46 || head[4] !== 2 || head[5] !== 1)
    return undefined;
  const size = head.readUInt16LE(0x36);
  const table = read(Number(head.readBigUInt64LE(0x20)), size * head.readUInt16LE(0x38));
  const segments = Array.from({ length: Math.floor(table.length / size) }, (_, index) => {
    const at = (offset: number) => Number(table.readBigUInt64LE(index * size + offset));
    return { type: table.readUInt32LE(index * size), offset: at(8), address: at(16), bytes: at(32) };
  });
  const interpreter = segments.find(({ type }) => type === segment.interpreter);
  const loader = interpreter && textAt(read(interpreter.offset, interpreter.bytes), 0);
  const dynamicSegment = segments.find(({ type }) => type === segment.dynamic);
  if (dynamicSegment === undefined) return { libraries: [], loader };

  const entries = entriesOf(read(dynamicSegment.offset, dynamicSegment.bytes));
  const stringsAddress = Number(entries.find(([tag]) => tag === dynamic.strings)?.[1] ?? 0n);
  const home = segments.find(
    ({ type, address, bytes }) =>
      type === segment.load && stringsAddress >= address && stringsAddress < address + bytes,
  );
  if (home === undefined) return { libraries: [], loader };
  const strings = home.offset + (stringsAddress - home.address);
  const libraries = entries
    .filter(([tag]) => tag === dynamic.needed)
    .map(([, value]) => textAt(read(strings + Number(value), 256), 0));
  return { libraries, loader };
}

function entriesOf(bytes: Buffer): readonly (readonly [bigint, bigint])[] {
  const entries: (readonly [bigint, bigint])[] = [];
  for (let at = 0; at + 16 <= bytes.length; at += 16) {
    const tag = bytes.readBigUInt64LE(at);
    if (tag === dynamic.end) break;
    entries.push([tag, bytes.readBigUInt64LE(at + 8)]);
  }
  return entries;
}

function textAt(bytes: Buffer, offset: number): string {
  const end = bytes.indexOf(0, offset);
  return bytes.toString('latin1', offset, end < 0 ? bytes.length : end);
}
