// A unix socket in front of Redis that does what hung servers and cut connections do: a command is run and its reply
// lost, or a command arrives long after its sender has gone.
import { once } from 'node:events';
import net from 'node:net';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { tempDir } from '../support/temp-dir.ts';

export interface FaultyProxy {
  readonly socket: string;
  /** The next request that contains `text` is passed on; its reply is dropped, and the client's connection cut. */
  loseReplyTo(text: string): void;
  /** The next request that contains `text` is kept, also when its client goes away, until release(). */
  holdRequest(text: string): void;
  /** Passes the held request on; resolves with Redis's answer, '' when it has closed that connection by then. */
  release(): Promise<string>;
  /** How many requests met their fault. */
  readonly faults: number;
}

type Fault = { readonly kind: 'lose' | 'hold'; readonly text: string };

export async function startFaultyProxy(
  t: Pick<TestContext, 'after'>,
  redisSocket: string,
): Promise<FaultyProxy> {
  const open = new Set<net.Socket>();
  let next: Fault | null = null;
  let held: { readonly redis: net.Socket; readonly data: Buffer } | undefined;
  let faults = 0;
  t.after(async () => {
    for (const socket of open) socket.destroy();
    server.close();
    await closed;
  });
  const socket = path.join(await tempDir(t), 'proxy.sock');

  const server = net.createServer((client) => {
    const redis = net.connect(redisSocket);
    let fault: Fault | null = null;
    for (const end of [client, redis]) {
      open.add(end);
      end.on('close', () => open.delete(end));
      // A reset is no news here; the close that follows ends both sides.
      end.on('error', () => end.destroy());
    }
    client.on('close', () => fault?.kind === 'hold' || redis.destroy());
    redis.on('close', () => client.destroy());
    client.on('data', (data) => {
      if (next !== null && data.includes(next.text)) {
        [fault, next] = [next, null];
        faults += 1;
      }
      if (fault?.kind === 'hold')
        held = { redis, data: Buffer.concat([held?.data ?? Buffer.alloc(0), data]) };
      else redis.write(data);
    });
    redis.on('data', (data) => {
      if (fault === null) client.write(data);
      else client.destroy();
    });
  });
  const closed = once(server, 'close');
  server.listen(socket);
  await once(server, 'listening');

  return {
    socket,
    loseReplyTo: (text) => {
      next = { kind: 'lose', text };
    },
    holdRequest: (text) => {
      next = { kind: 'hold', text };
    },
    async release() {
      if (held === undefined) throw new Error('no request is held');
      const { redis, data } = held;
      if (redis.destroyed) return '';
      const answer = Promise.withResolvers<string>();
      redis.on('data', (reply) => answer.resolve(reply.toString()));
      redis.on('close', () => answer.resolve(''));
      redis.write(data);
      return answer.promise;
    },
    get faults() {
      return faults;
    },
  };
}
