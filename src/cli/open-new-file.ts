// A file that was not there -> one to write into, which its owner alone can read.
import { open, rm } from 'node:fs/promises';
import { errorText } from '../lib/error-text.ts';
import { cliError } from './cli-error.ts';

export interface NewFile extends AsyncDisposable {
  write(content: string | AsyncIterable<Buffer>): Promise<void>;
  /** Nothing of it stays. */
  forget(): Promise<void>;
}

export async function openNewFile(file: string): Promise<NewFile> {
  const handle = await open(file, 'wx', 0o600).catch((cause: NodeJS.ErrnoException) => {
    const code = cause.code === 'EEXIST' ? 'cli.exists' : 'cli.unwritable';
    throw cliError(code, `write ${file}: ${errorText(cause)}`, cause);
  });
  return {
    async write(content) {
      await handle.writeFile(content);
      await handle.sync();
    },
    forget: () => rm(file, { force: true }),
    [Symbol.asyncDispose]: () => handle.close(),
  };
}
