// One question at the terminal -> the line that was typed.
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import type { CommandContext } from './command.ts';

/** null when the input is no terminal: a script must say --yes instead. */
export function askAt(
  input: NodeJS.ReadableStream | undefined,
  output: NodeJS.WritableStream,
): CommandContext['ask'] {
  if (input === undefined || !('isTTY' in input) || input.isTTY !== true) return null;
  return async (question, { isSecret = false } = {}) => {
    // As a terminal readline takes the echo over, and what it would show goes nowhere.
    const lines = isSecret
      ? createInterface({ input, output: nowhere(), terminal: true })
      : createInterface({ input, output });
    const ended = new Promise<string>((resolve) => lines.once('close', () => resolve('')));
    try {
      if (isSecret) output.write(question);
      const answer = await Promise.race([lines.question(isSecret ? '' : question), ended]);
      return isSecret ? answer : answer.trim();
    } finally {
      lines.close();
      if (isSecret) output.write('\n');
    }
  };
}

function nowhere(): Writable {
  return new Writable({ write: (_chunk, _encoding, done) => done() });
}
