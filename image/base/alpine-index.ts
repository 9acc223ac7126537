// The index of one Alpine repository as it lies on disk -> its packages. Says nothing about signatures: apko checks those.
import { runCommand } from '../run-command.ts';

export interface IndexEntry {
  readonly name: string;
  readonly version: string;
  readonly sizeBytes: number;
  /** SHA-1 of the package's control stream, as hexadecimal digits. */
  readonly control: string;
}

export async function readIndex(file: string): Promise<readonly IndexEntry[]> {
  const text = await runCommand('tar', ['--extract', '--gzip', '--to-stdout', '--file', file, 'APKINDEX'], {
    from: 'tar',
    remedy: 'the index is damaged; choose another mirror',
  });
  return text
    .split('\n\n')
    .filter((block) => block.trim() !== '')
    .map((block) => {
      const field = (letter: string) => new RegExp(`^${letter}:(.*)$`, 'm').exec(block)?.[1] ?? '';
      return {
        name: field('P'),
        version: field('V'),
        sizeBytes: Number(field('S')),
        control: Buffer.from(field('C').replace(/^Q1/, ''), 'base64').toString('hex'),
      };
    });
}
