// One at a time on this machine: a socket name that only one process can hold and that the kernel frees with the process,
// so no lock outlives a killed build. Whoever connects is told the holder's process id.
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { ImageError } from './image-error.ts';

export interface Lock {
  /** Once or more often. */
  release(): Promise<void>;
}

/** Waits until `name` is free, at most `limitMs`. */
export async function takeLock(name: string, limitMs: number): Promise<Lock> {
  const end = performance.now() + limitMs;
  for (;;) {
    const lock = await tryLock(name);
    if (lock !== undefined) return lock;
    if (performance.now() > end)
      throw new ImageError(
        'image.locked',
        `wait for ${name}: process ${await holderOf(name)} holds it for more than ${Math.round(limitMs / 1000)} s; end that process`,
      );
    await delay(200);
  }
}

/** A name in Linux's abstract namespace: no file, at most 107 bytes. */
const address = (name: string) => `\0autoweave ${name}`;

async function tryLock(name: string): Promise<Lock | undefined> {
  const server = createServer((socket) => socket.end(String(process.pid))).listen(address(name));
  try {
    await once(server, 'listening');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return undefined;
    throw error;
  }
  server.unref();
  return {
    async release() {
      if (!server.listening) return;
      server.close();
      await once(server, 'close');
    },
  };
}

async function holderOf(name: string): Promise<string> {
  const socket = connect(address(name));
  try {
    return await text(socket);
  } catch {
    // It was given back at this very moment.
    return 'unknown';
  }
}
