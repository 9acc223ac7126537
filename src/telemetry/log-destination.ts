// Lines -> a file descriptor, without ever waiting for a reader, ending or crashing the process that logs.
import { fstatSync, write, writeSync } from 'node:fs';

/** Beyond this a reader that stalls costs lines, not memory. */
const MAX_QUEUED_CHARACTERS = 1_048_576;
const MAX_CHUNK_CHARACTERS = 65_536;
const RETRY_MS = 50;

export interface LogDestination {
  write(line: string): void;
  /** Lines given up since the start. */
  lost(): number;
  /** Writes what is queued and takes no more; at the end of the process this happens by itself. */
  close(): void;
}

/**
 * INVARIANTS
 * - Lines of one turn of the event loop go out together in the next: an error followed by process.exit() is still queued
 *   then, and the exit handler writes it.
 * - A regular file has no reader to wait for: it is written on this thread, so that what the exit handler writes follows what
 *   was written before. With a pipe a chunk may still be on its way then, and come after the last words.
 * - A failed write costs the lines of its chunk; the next chunk is tried all the same, and once one succeeds a line
 *   tells how many were lost. A disk that has room again therefore has its log again.
 */
export function openLogDestination(fd: number): LogDestination {
  const isFile = isRegularFile(fd);
  let queue: string[] = [];
  let queued = 0;
  let busy = false;
  let closed = false;
  let lost = 0;
  let lostAndSaid = 0;

  const give = (line: string) => {
    queue.push(line);
    queued += line.length;
  };
  const take = (): { readonly text: string; readonly lines: number } => {
    let [end, length] = [0, 0];
    while (end < queue.length && (end === 0 || length < MAX_CHUNK_CHARACTERS)) {
      length += queue[end]?.length ?? 0;
      end += 1;
    }
    const lines = queue.splice(0, end);
    const text = lines.join('');
    queued -= text.length;
    return { text, lines: lines.length };
  };
  const next = () => {
    busy = false;
    if (queue.length > 0 && !closed) schedule();
  };
  const schedule = () => {
    if (busy) return;
    busy = true;
    setImmediate(() => {
      if (closed || queue.length === 0) return next();
      const { text, lines } = take();
      put(Buffer.from(text), lines);
    });
  };
  const put = (bytes: Buffer, lines: number) => {
    if (isFile) return putAtOnce(bytes, lines);
    write(fd, bytes, (error, written) => {
      if (error?.code === 'EAGAIN') setTimeout(() => put(bytes, lines), RETRY_MS).unref();
      else if (error !== null) {
        lost += lines;
        next();
      } else if (written < bytes.length) put(bytes.subarray(written), lines);
      else succeeded();
    });
  };
  const putAtOnce = (bytes: Buffer, lines: number) => {
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
    } catch {
      // Counted, and told once the file takes lines again.
      lost += lines;
      return next();
    }
    succeeded();
  };
  const succeeded = () => {
    if (lost > lostAndSaid) {
      give(lostLine(lost - lostAndSaid));
      lostAndSaid = lost;
    }
    next();
  };
  const close = () => {
    if (closed) return;
    closed = true;
    process.off('exit', close);
    const lines = queue.length;
    try {
      let rest = Buffer.from(queue.join(''));
      queue = [];
      while (rest.length > 0) rest = rest.subarray(writeSync(fd, rest));
    } catch {
      // The last chance is over: there is nobody left to tell but the counter.
      lost += lines;
    }
  };
  process.on('exit', close);

  return {
    write(line) {
      if (closed || queued + line.length > MAX_QUEUED_CHARACTERS) {
        lost += 1;
        return;
      }
      give(line);
      schedule();
    },
    lost: () => lost,
    close,
  };
}

function isRegularFile(fd: number): boolean {
  try {
    return fstatSync(fd).isFile();
  } catch {
    // A closed descriptor: every write will fail and be counted.
    return false;
  }
}

function lostLine(count: number): string {
  const time = new Date().toISOString();
  return `${JSON.stringify({ level: 'warn', time, lost: count, msg: 'log lines before this one were lost: the output did not take them' })}\n`;
}
