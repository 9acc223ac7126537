// The rule corpus: one rule a line, as bytes. `good` and `bad` are what USBGuard's parser accepts and refuses too; `differs` is
// where the two disagree on purpose (src/policy/README.md says why).
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const root = path.join(import.meta.dirname, '../corpus/policy');

export interface CorpusLine {
  readonly place: string;
  /** Byte string. */
  readonly line: string;
}

export function corpusLines(folder: 'good' | 'bad' | 'differs', name?: string): readonly CorpusLine[] {
  return readdirSync(path.join(root, folder))
    .filter((file) => name === undefined || file === `${name}.rules`)
    .sort()
    .flatMap((file) =>
      readFileSync(path.join(root, folder, file), 'latin1')
        .split('\n')
        .slice(0, -1)
        .map((line, index) => ({ place: `${folder}/${file}:${index + 1}`, line })),
    );
}
