// Which of these programs are not to be found. Administration folders count: an ordinary user's PATH leaves them out on Debian.
import { existsSync } from 'node:fs';
import path from 'node:path';

/** For the environment of a child that runs such programs. */
export const toolPath = [process.env.PATH, '/usr/sbin', '/sbin'].join(path.delimiter);

export function missingTools(names: readonly string[]): readonly string[] {
  const folders = toolPath.split(path.delimiter);
  return names.filter((name) => !folders.some((folder) => existsSync(path.join(folder, name))));
}
