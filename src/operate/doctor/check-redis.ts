// The store, asked directly: does it answer, does it write through, does it take orders.

import { once } from 'node:events';
import { connect } from 'node:net';
import { attention, type Check, fault, ok } from './finding.ts';

const start = 'Start it (rc-service redis start, systemctl start autoweave-redis) and read its log.';

export const checkRedis: Check = {
  name: 'redis',
  async look({ config, signal }) {
    const { redisSocket, password, username = 'default' } = config.buffer;
    const login = password === undefined ? [] : [['AUTH', username, password]];
    const [loggedIn, info, sync] = await ask(
      redisSocket,
      [...login, ['INFO', 'persistence'], ['CONFIG', 'GET', 'appendfsync']],
      signal,
    ).then((answers) => (login.length === 0 ? ['+OK', ...answers] : answers));
    if (loggedIn?.startsWith('-'))
      return fault(`Redis refuses the account: ${loggedIn}`, 'Correct buffer.username and buffer.password.');
    if (info === undefined || info.startsWith('-')) return fault(`Redis answers ${info ?? 'nothing'}`, start);
    const value = (name: string) => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1];
    if (value('loading') === '1')
      return attention('Redis still loads its log', 'Wait; look again in a minute.');
    if (value('aof_enabled') === '0')
      return fault(
        'Redis keeps no append-only file: a power cut loses every event',
        'Start it with the redis.conf that comes with the appliance.',
      );
    if (value('aof_last_write_status') === 'err')
      return fault('Redis cannot write its log', 'Free space on its disk; look at the disk check.');
    // The account of the appliance may not ask; then the answer is an error and says nothing.
    if (sync !== undefined && !sync.startsWith('-') && !sync.includes('always'))
      return attention(
        'Redis does not sync every write (appendfsync is not always): a power cut loses up to two seconds',
        'Set buffer.fsync to always (and appendfsync where Redis is started otherwise), unless the flash has to be spared.',
      );
    return ok('Redis answers and writes its log');
  },
};

/** One answer for every command, errors as the text after `-`. */
async function ask(
  socketPath: string,
  commands: readonly (readonly string[])[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  const socket = connect({ path: socketPath, signal });
  try {
    await once(socket, 'connect', { signal });
    socket.write(
      commands
        .map(
          (words) =>
            `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`,
        )
        .join(''),
    );
    let text = '';
    for await (const chunk of socket.setEncoding('utf8')) {
      text += chunk as string;
      const answers = wholeAnswers(text);
      if (answers.length >= commands.length) return answers;
    }
    return wholeAnswers(text);
  } finally {
    socket.destroy();
  }
}

/** RESP2: simple strings, errors, bulk strings and flat arrays of them, which is all that these commands answer. */
function wholeAnswers(text: string): readonly string[] {
  const answers: string[] = [];
  for (let at = 0; at < text.length; ) {
    const one = wholeAnswer(text, at);
    if (one === null) break;
    answers.push(one.value);
    at = one.end;
  }
  return answers;
}

function wholeAnswer(text: string, at: number): { readonly value: string; readonly end: number } | null {
  const lineEnd = text.indexOf('\r\n', at);
  if (lineEnd === -1) return null;
  const line = text.slice(at, lineEnd);
  const count = Number(line.slice(1));
  if (line.startsWith('$')) {
    if (count < 0) return { value: '', end: lineEnd + 2 };
    const end = lineEnd + 2 + count + 2;
    return end > text.length ? null : { value: text.slice(lineEnd + 2, end - 2), end };
  }
  if (!line.startsWith('*')) return { value: line, end: lineEnd + 2 };
  const parts: string[] = [];
  let end = lineEnd + 2;
  for (let index = 0; index < count; index++) {
    const part = wholeAnswer(text, end);
    if (part === null) return null;
    parts.push(part.value);
    end = part.end;
  }
  return { value: parts.join(' '), end };
}
