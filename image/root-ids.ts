// The users or groups of a root by name, as its own tables have them.
import { readFile } from 'node:fs/promises';
import path from 'node:path';

export async function idsOf(root: string, table: 'passwd' | 'group'): Promise<ReadonlyMap<string, string>> {
  const text = await readFile(path.join(root, 'etc', table), 'utf8');
  return new Map(text.split('\n').map((line) => [line.split(':')[0] ?? '', line.split(':')[2] ?? '']));
}
