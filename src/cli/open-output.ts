// Standard output -> what commands print with, and in the end whether it was taken.
import { errorText } from '../lib/error-text.ts';
import type { CommandContext } from './command.ts';

export interface Output extends Pick<CommandContext, 'print'> {
  readonly facts: CommandContext['output'];
  /** Waits until everything is written: null, or why it cannot be. */
  failure(): Promise<string | null>;
}

/** What a reader leaves behind who has closed the pipe. */
const closed = ['EPIPE', 'ERR_STREAM_DESTROYED'];

export function openOutput(stream: NodeJS.WritableStream): Output {
  const ending = new AbortController();
  let first: NodeJS.ErrnoException | null = null;
  const fail = (cause: NodeJS.ErrnoException | null | undefined) => {
    if (cause === null || cause === undefined) return;
    first ??= cause;
    ending.abort();
  };
  stream.on('error', fail);
  return {
    facts: { ended: ending.signal, isTerminal: 'isTTY' in stream && stream.isTTY === true },
    // The first error is the real one; what is written after it is told alone that it came too late.
    print: (text) => void stream.write(text, fail),
    async failure() {
      const written = Promise.withResolvers<void>();
      stream.write('', (cause) => {
        fail(cause);
        written.resolve();
      });
      await written.promise;
      return first === null || closed.includes(first.code ?? '') ? null : errorText(first);
    },
  };
}
