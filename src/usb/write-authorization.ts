// Writes a device's `authorized` or `remove` in sysfs and reads back what the kernel made of it. Authorizing probes drivers before the
// write returns (0.1 s for a keyboard, seconds for a device that does not answer): always on the thread pool.
import { constants } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import path from 'node:path';
import { errnoOf } from './errno-of.ts';

export type Authorization = 'authorize' | 'deauthorize' | 'remove';

export type WriteOutcome =
  | { readonly ok: true }
  | {
      readonly ok: false;
      readonly code: 'gone' | 'not-permitted' | 'failed' | 'not-obeyed';
      readonly errno: string;
    };

export async function writeAuthorization(folder: string, wanted: Authorization): Promise<WriteOutcome> {
  const file = path.join(folder, wanted === 'remove' ? 'remove' : 'authorized');
  try {
    // Neither created nor read: `remove` may only be written.
    await using handle = await open(file, constants.O_WRONLY);
    await handle.writeFile(wanted === 'deauthorize' ? '0' : '1');
  } catch (cause) {
    const errno = errnoOf(cause);
    if (wanted === 'remove' && (errno === 'ENOENT' || errno === 'ENODEV')) return { ok: true };
    if (errno === 'ENOENT' || errno === 'ENODEV') return { ok: false, code: 'gone', errno };
    const code = errno === 'EACCES' || errno === 'EPERM' ? 'not-permitted' : 'failed';
    return { ok: false, code, errno };
  }
  if (wanted === 'remove') return { ok: true };
  const found = await readAuthorized(folder);
  if (found === null) return { ok: false, code: 'gone', errno: 'ENOENT' };
  return found === (wanted === 'authorize') ? { ok: true } : { ok: false, code: 'not-obeyed', errno: '' };
}

/** null when the device has gone. */
async function readAuthorized(folder: string): Promise<boolean | null> {
  try {
    return (await readFile(path.join(folder, 'authorized'), 'latin1')).trim() === '1';
  } catch (cause) {
    errnoOf(cause);
    return null;
  }
}
