// One command to Redis as the tests' user `admin`, who may do everything. Resolves with the reply as it was sent.
import { once } from 'node:events';
import net from 'node:net';
import { respEnd } from '../support/resp.ts';

export async function askRedis(socketPath: string, words: readonly string[]): Promise<Buffer> {
  const socket = net.connect(socketPath);
  await once(socket, 'connect');
  socket.write(commandOf(['AUTH', 'admin', 'any']) + commandOf(words));
  let bytes: Buffer = Buffer.alloc(0);
  try {
    for await (const chunk of socket) {
      bytes = Buffer.concat([bytes, chunk as Buffer]);
      const welcome = respEnd(bytes, 0);
      if (welcome === -1) continue;
      const end = respEnd(bytes, welcome);
      if (end === -1) continue;
      const reply = bytes.subarray(welcome, end);
      if (reply[0] === 0x2d)
        throw new Error(`Redis refused ${words[0]}: ${reply.toString('utf8', 1).trim()}`);
      return reply;
    }
  } finally {
    socket.destroy();
  }
  throw new Error(`Redis closed the connection instead of answering ${words[0]}`);
}

function commandOf(words: readonly string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`;
}
