// Which of these programs are not to be found on PATH.
import { existsSync } from 'node:fs';
import path from 'node:path';

export function missingTools(names: readonly string[]): readonly string[] {
  const folders = (process.env.PATH ?? '').split(path.delimiter);
  return names.filter((name) => !folders.some((folder) => existsSync(path.join(folder, name))));
}
