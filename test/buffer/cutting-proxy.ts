// A unix socket in front of Redis that can lose what Redis answers, as a cut connection does: the command is run, the
// reply never comes.
import { once } from 'node:events';
import net from 'node:net';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { tempDir } from '../support/temp-dir.ts';

export interface CuttingProxy {
  readonly socket: string;
  /** The next request that contains `text` is passed on; its reply is dropped, and the client's connection cut. */
  cutReplyTo(text: string): void;
  /** How often a reply was dropped. */
  readonly cuts: number;
}

export async function startCuttingProxy(
  t: Pick<TestContext, 'after'>,
  redisSocket: string,
): Promise<CuttingProxy> {
  const open = new Set<net.Socket>();
  let armed: string | null = null;
  let cuts = 0;
  t.after(async () => {
    for (const socket of open) socket.destroy();
    if (server.listening) server.close();
    await closed;
  });
  const socket = path.join(await tempDir(t), 'proxy.sock');
  const server = net.createServer((client) => {
    const redis = net.connect(redisSocket);
    let dropping = false;
    for (const end of [client, redis]) {
      open.add(end);
      end.on('close', () => open.delete(end));
      // A reset is what this proxy is for; the close that follows ends both sides.
      end.on('error', () => end.destroy());
    }
    client.on('close', () => redis.destroy());
    redis.on('close', () => client.destroy());
    client.on('data', (data) => {
      if (armed !== null && data.includes(armed)) {
        armed = null;
        dropping = true;
      }
      redis.write(data);
    });
    redis.on('data', (data) => {
      if (!dropping) return void client.write(data);
      cuts += 1;
      client.destroy();
    });
  });
  const closed = once(server, 'close');
  server.listen(socket);
  await once(server, 'listening');
  return {
    socket,
    cutReplyTo: (text) => {
      armed = text;
    },
    get cuts() {
      return cuts;
    },
  };
}
