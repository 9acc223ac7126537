// One question at the terminal -> the line that was typed.
import { createInterface } from 'node:readline/promises';

/** null when the input is no terminal: a script must say --yes instead. */
export function askAt(
  input: NodeJS.ReadableStream | undefined,
  output: NodeJS.WritableStream,
): ((question: string) => Promise<string>) | null {
  if (input === undefined || !('isTTY' in input) || input.isTTY !== true) return null;
  return async (question) => {
    const lines = createInterface({ input, output });
    const ended = new Promise<string>((resolve) => lines.once('close', () => resolve('')));
    try {
      return (await Promise.race([lines.question(question), ended])).trim();
    } finally {
      lines.close();
    }
  };
}
