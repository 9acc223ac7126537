// What the guest writes on its serial port, as lines, from the first one on. Kept whole, for waiting and for failure messages.

import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

export interface Console {
  readonly lines: readonly string[];
  /** Resolves with the first line, past or future, that matches; rejects with the last lines after `limitMs`. */
  waitFor(pattern: RegExp, limitMs: number): Promise<string>;
}

export function readConsole(stream: Readable): Console {
  const lines: string[] = [];
  const listeners = new Set<() => void>();
  let ended = false;
  const tell = () => {
    for (const listener of [...listeners]) listener();
  };
  createInterface(stream)
    .on('line', (line) => {
      lines.push(line);
      tell();
    })
    .on('close', () => {
      ended = true;
      tell();
    });
  return {
    lines,
    waitFor: (pattern, limitMs) =>
      new Promise((resolve, reject) => {
        const fail = (why: string) => {
          stop();
          reject(new Error(`console: ${pattern} ${why}; last lines:\n${lines.slice(-40).join('\n')}`));
        };
        const timer = setTimeout(() => fail(`not within ${limitMs} ms`), limitMs);
        const stop = () => {
          clearTimeout(timer);
          listeners.delete(look);
        };
        let seen = 0;
        const look = () => {
          for (; seen < lines.length; seen += 1) {
            const line = lines[seen] ?? '';
            if (!pattern.test(line)) continue;
            stop();
            return resolve(line);
          }
          if (ended) fail('did not come before the guest ended');
        };
        listeners.add(look);
        look();
      }),
  };
}
