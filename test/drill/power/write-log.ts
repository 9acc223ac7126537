// QEMU's `blklogwrites` and dm-log-writes record what a disk was told: a header of one sector for each write or flush, the written
// bytes behind it (Linux, Documentation/admin-guide/device-mapper/log-writes.rst). Little endian.
import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import type { SeededRandom } from '../../support/seeded-random.ts';

const MAGIC = 0x6a736677736872n;
const SECTOR = 512;
const FLUSH = 1n;
const DISCARD = 4n;

export interface LoggedWrite {
  /** Bytes from the start of the disk. */
  readonly at: number;
  readonly bytes: number;
  readonly isFlush: boolean;
  /** Of the written bytes in the log. */
  readonly dataAt: number;
  /** Where this record ends: what is recorded of a moment at which the log was so long. */
  readonly end: number;
}

/** The last record may be cut, with the machine that wrote it. */
export function readWriteLog(file: string): readonly LoggedWrite[] {
  const log = openSync(file, 'r');
  try {
    const { size } = fstatSync(log);
    const head = Buffer.alloc(SECTOR);
    readSync(log, head, 0, SECTOR, 0);
    if (head.readBigUInt64LE(0) !== MAGIC)
      throw new Error(`${file} is no write log: it does not begin with its mark`);
    const sector = head.readUInt32LE(24);
    const writes: LoggedWrite[] = [];
    for (let at = sector; at + sector <= size; ) {
      readSync(log, head, 0, SECTOR, at);
      const [count, flags] = [Number(head.readBigUInt64LE(8)), head.readBigUInt64LE(16)];
      if (count === 0 && flags === 0n) break;
      const isData = (flags & DISCARD) === 0n;
      const bytes = isData ? count * sector : 0;
      const end = at + sector + bytes;
      if (end > size) break;
      const isFlush = (flags & FLUSH) !== 0n;
      writes.push({ at: Number(head.readBigUInt64LE(0)) * sector, bytes, isFlush, dataAt: at + sector, end });
      at = end;
    }
    return writes;
  } finally {
    closeSync(log);
  }
}

/** Does the writes to the disk image again, in their order; `chosen` leaves some of them out. */
export function replayWrites(
  logFile: string,
  disk: string,
  writes: readonly LoggedWrite[],
  chosen: (write: LoggedWrite) => boolean = () => true,
): void {
  const [log, image] = [openSync(logFile, 'r'), openSync(disk, 'r+')];
  try {
    for (const write of writes) {
      if (write.bytes === 0 || !chosen(write)) continue;
      const data = Buffer.alloc(write.bytes);
      readSync(log, data, 0, data.length, write.dataAt);
      writeSync(image, data, 0, data.length, write.at);
    }
  } finally {
    closeSync(log);
    closeSync(image);
  }
}

export interface PowerCut {
  /** Records up to here reached the disk for certain. */
  readonly flushed: number;
  /** Records behind it, up to the next flush: each may have reached the disk or not. */
  readonly until: number;
}

/** `count` flushes, each at most once, in their order. */
export function choosePowerCuts(
  writes: readonly LoggedWrite[],
  count: number,
  random: SeededRandom,
): readonly PowerCut[] {
  const flushes = writes.flatMap(({ isFlush }, index) => (isFlush ? [index] : []));
  const cuts = flushes.map((index, place) => ({
    flushed: index + 1,
    until: flushes[place + 1] ?? writes.length,
  }));
  const left = [...cuts.keys()];
  const chosen: number[] = [];
  while (chosen.length < count && left.length > 0)
    chosen.push(...left.splice(random.integer(left.length), 1));
  return chosen.sort((a, b) => a - b).flatMap((place) => cuts[place] ?? []);
}
