// Messages between the daemon and a plugin's process as frames on a pipe: four bytes of length, then JSON. Used on both sides.
// A length beyond the bound is known before anything is buffered for it.
import type { Duplex } from 'node:stream';

export type FrameProblem = 'too-large' | 'not-json';

export interface FrameReader {
  /** Whole messages in `chunk` and what came before it, in order; stops at the first problem. */
  take(chunk: Buffer): { readonly messages: readonly unknown[]; readonly problem: FrameProblem | null };
}

const HEADER = 4;

export function createFrameReader(maxBytes: number): FrameReader {
  let waiting: Buffer = Buffer.alloc(0);
  let chunks: Buffer[] = [];
  let waitingBytes = 0;
  return {
    take(chunk) {
      chunks.push(chunk);
      waitingBytes += chunk.length;
      const messages: unknown[] = [];
      const needed = waiting.length >= HEADER ? HEADER + waiting.readUInt32BE(0) : HEADER;
      // A large frame comes in many chunks: they are joined once, not each time.
      if (waiting.length + waitingBytes < needed && waiting.length >= HEADER)
        return { messages, problem: null };
      let bytes = Buffer.concat([waiting, ...chunks]);
      chunks = [];
      waitingBytes = 0;
      while (bytes.length >= HEADER) {
        const length = bytes.readUInt32BE(0);
        if (length > maxBytes) return { messages, problem: 'too-large' };
        if (bytes.length < HEADER + length) break;
        try {
          messages.push(JSON.parse(bytes.toString('utf8', HEADER, HEADER + length)));
        } catch {
          return { messages, problem: 'not-json' };
        }
        bytes = bytes.subarray(HEADER + length);
      }
      waiting = Buffer.from(bytes);
      return { messages, problem: null };
    },
  };
}

/** false: the pipe is full, wait for its `drain`. */
export function writeFrame(pipe: Duplex, message: unknown): boolean {
  const text = JSON.stringify(message);
  const frame = Buffer.allocUnsafe(HEADER + Buffer.byteLength(text));
  frame.writeUInt32BE(frame.length - HEADER, 0);
  frame.write(text, HEADER);
  return pipe.write(frame);
}
