// One at a time: a file that names the process which holds it. A lock whose holder is gone is taken over.
import { open, readFile, rm } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { ImageError } from './image-error.ts';

export interface Lock {
  release(): Promise<void>;
}

/** Waits until `file` is free, at most `limitMs`. */
export async function takeLock(file: string, limitMs: number): Promise<Lock> {
  const end = performance.now() + limitMs;
  for (;;) {
    if (await tryLock(file)) return { release: () => rm(file, { force: true }) };
    const holder = await holderOf(file);
    if (holder !== undefined && !isAlive(holder)) {
      await rm(file, { force: true });
      continue;
    }
    if (performance.now() > end)
      throw new ImageError(
        'image.locked',
        `wait for ${file}: process ${holder ?? 'unknown'} holds it for more than ${Math.round(limitMs / 1000)} s; end that process or delete the file`,
      );
    await delay(200);
  }
}

async function tryLock(file: string): Promise<boolean> {
  try {
    const handle = await open(file, 'wx');
    await handle.writeFile(String(process.pid));
    await handle.close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function holderOf(file: string): Promise<number | undefined> {
  const pid = Number(await readFile(file, 'utf8').catch(() => ''));
  return pid > 0 ? pid : undefined;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
