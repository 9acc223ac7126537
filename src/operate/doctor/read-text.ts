// A small file of /proc, /sys or /etc under a root folder -> its text, or null when it is not there.
import { readFile } from 'node:fs/promises';
import path from 'node:path';

export async function readText(root: string, file: string): Promise<string | null> {
  try {
    return (await readFile(path.join(root, file), 'utf8')).trim();
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw cause;
  }
}
