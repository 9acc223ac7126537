// The spool file on tmpfs: read at the start and when the monitor was away, emptied when nothing in it is needed any more.
import { closeSync, constants, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { errnoOf } from './errno-of.ts';
import { formatEmptied, parseSpool, type Spool } from './parse-spool.ts';

export type SpoolFile =
  | { readonly ok: true; readonly spool: Spool; readonly size: number }
  | { readonly ok: false; readonly errno: string };

/** The helper stops at 1 MiB. */
const MAX_BYTES = 2_097_152;

/** Follows no symbolic link: the folder may be writable by others on a badly set up machine. */
export function readSpool(file: string, bootId: string): SpoolFile {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const { size } = fstatSync(descriptor);
    const bytes = Buffer.alloc(Math.min(size, MAX_BYTES));
    let length = 0;
    while (length < bytes.length) {
      const count = readSync(descriptor, bytes, length, bytes.length - length, null);
      if (count === 0) break;
      length += count;
    }
    const spool = parseSpool(bytes.subarray(0, length), bootId);
    return { ok: true, spool: size > MAX_BYTES ? { ...spool, isFull: true } : spool, size };
  } catch (cause) {
    return { ok: false, errno: errnoOf(cause) };
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/**
 * Removes every line, if the file is still as long as it was when it was read. A line that the helper appends between that look and
 * the cut may go with it: only to be called while the monitor is subscribed. Returns the errno when it may not.
 */
export function emptySpool(
  file: string,
  at: { readonly bootId: string; readonly uptimeMs: number; readonly seqnum: number; readonly size: number },
): 'emptied' | 'has grown' | { readonly errno: string } {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(file, constants.O_WRONLY | constants.O_APPEND | constants.O_NOFOLLOW);
    if (fstatSync(descriptor).size !== at.size) return 'has grown';
    ftruncateSync(descriptor);
    writeSync(descriptor, formatEmptied(at.bootId, at.uptimeMs, at.seqnum));
    return 'emptied';
  } catch (cause) {
    return { errno: errnoOf(cause) };
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}
