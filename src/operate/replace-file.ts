// A file is whole at any moment, also after a power cut: a temporary file beside it, fsync, rename, fsync of the folder.
import { randomBytes } from 'node:crypto';
import { open, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { errorText } from '../lib/error-text.ts';
import { OperateError } from './operate-error.ts';

/** @throws OperateError `operate.write-failed`; the file is then what it was before. */
export async function replaceFile(
  file: string,
  content: string | Uint8Array,
  options: { readonly mode: number; readonly owner?: { readonly uid: number; readonly gid: number } },
): Promise<void> {
  const beside = path.join(path.dirname(file), `.${path.basename(file)}.${randomBytes(6).toString('hex')}`);
  try {
    {
      // Nobody else may read it before its owner and mode are right.
      await using handle = await open(beside, 'wx', 0o600);
      await handle.writeFile(content);
      if (options.owner !== undefined) await handle.chown(options.owner.uid, options.owner.gid);
      await handle.chmod(options.mode);
      await handle.sync();
    }
    const written = await readFile(beside);
    if (!written.equals(Buffer.from(content))) throw new Error('it reads back differently');
    await rename(beside, file);
    await syncFolder(path.dirname(file));
  } catch (cause) {
    await rm(beside, { force: true });
    throw new OperateError(
      'operate.write-failed',
      `cannot write ${file}: ${errorText(cause)}; check space and permissions`,
      { cause },
    );
  }
}

/** A rename or removal is durable only once its folder is. */
export async function syncFolder(folder: string): Promise<void> {
  await using handle = await open(folder, 'r');
  await handle.sync();
}
