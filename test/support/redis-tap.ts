// A unix socket in front of Redis that reads along: tells which entries Redis has acknowledged (its reply to EXEC comes after its
// fsync), and asks before a command or a reply passes, so that a drill can strike at exactly that point.
import { once } from 'node:events';
import net from 'node:net';
import path from 'node:path';
import { contentCrc } from './checker/record-lines.ts';
import { respEnd, respItems, respWords } from './resp.ts';
import { tempDir } from './temp-dir.ts';
import type { Cleanup } from './with-cleanup.ts';

export interface TappedEntry {
  readonly id: string;
  readonly crc: string;
  /** The event as it is stored. */
  readonly json: Buffer;
}

/** What a whole transaction or a single command is about. */
export interface TappedRequest {
  /** In capitals. `EXEC` stands for the whole transaction. */
  readonly command: string;
  readonly key: string;
  /** Entries that it appends. */
  readonly entries: readonly TappedEntry[];
}

export interface RedisTap {
  readonly socket: string;
  /** Called with what Redis has acknowledged, whether or not the reply goes on to the client. */
  onAcknowledged: ((entries: readonly TappedEntry[]) => void) | null;
  /** Before it passes; false: it does not, and nothing does from then on. */
  beforeRequest: ((request: TappedRequest) => boolean) | null;
  afterRequest: ((request: TappedRequest) => void) | null;
  beforeReply: ((request: TappedRequest) => boolean) | null;
  /** Ends all connections; new ones are relayed again. */
  cut(): void;
}

interface Queued {
  readonly request: TappedRequest;
  /** Of the entries: at which place of EXEC's reply the answer stands. */
  readonly places: readonly number[];
}

/** INVARIANT: replies come in the order of the commands, so the oldest unanswered command is the one that a reply belongs to. */
export async function startRedisTap(t: Cleanup, redisSocket: string): Promise<RedisTap> {
  const connections = new Set<net.Socket>();
  const cut = () => {
    for (const each of connections) each.destroy();
  };
  const socket = path.join(await tempDir(t), 'tap.sock');
  const server = net.createServer((client) => relay(client, net.connect(redisSocket), tap, connections));
  server.listen(socket);
  await once(server, 'listening');
  t.after(async () => {
    cut();
    server.close();
    await once(server, 'close');
  });
  const tap: RedisTap = {
    socket,
    onAcknowledged: null,
    beforeRequest: null,
    afterRequest: null,
    beforeReply: null,
    cut,
  };
  return tap;
}

function relay(client: net.Socket, redis: net.Socket, tap: RedisTap, connections: Set<net.Socket>): void {
  const unanswered: Queued[] = [];
  let isFrozen = false;
  const pairs = [
    [client, redis],
    [redis, client],
  ] as const;
  for (const [end, other] of pairs) {
    connections.add(end);
    // A reset is no news here; the close that follows ends both sides.
    end.on('error', () => end.destroy());
    end.on('close', () => {
      connections.delete(end);
      other.destroy();
    });
  }
  const toQueued = transactionReader();
  splitValues(client, (value) => {
    if (isFrozen) return;
    const queued = toQueued(value);
    unanswered.push(queued);
    isFrozen = tap.beforeRequest?.(queued.request) === false;
    if (isFrozen) return;
    redis.write(value);
    tap.afterRequest?.(queued.request);
  });
  splitValues(redis, (reply) => {
    const queued = unanswered.shift();
    if (queued === undefined) return;
    const { request } = queued;
    const accepted = acceptedBy(reply, queued);
    if (accepted.length > 0) tap.onAcknowledged?.(accepted);
    if (isFrozen) return;
    isFrozen = tap.beforeReply?.(request) === false;
    if (!isFrozen) client.write(reply);
  });
}

function splitValues(from: net.Socket, take: (value: Buffer) => void): void {
  let rest: Buffer = Buffer.alloc(0);
  from.on('data', (chunk: Buffer) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let at = 0;
    for (let end = respEnd(rest, at); end !== -1 && at < rest.length; end = respEnd(rest, at)) {
      take(rest.subarray(at, end));
      at = end;
    }
    rest = rest.subarray(at);
  });
}

function transactionReader(): (value: Buffer) => Queued {
  let entries: TappedEntry[] = [];
  let places: number[] = [];
  let place = -1;
  return (value) => {
    const [name, key, ...words] = respWords(value);
    const command = name?.toString('latin1').toUpperCase() ?? '';
    if (command === 'MULTI') {
      [entries, places, place] = [[], [], 0];
    } else if (command === 'XADD' && place >= 0) {
      entries.push(toEntry(words));
      places.push(place);
    }
    if (command === 'EXEC') {
      const whole = { request: { command, key: '', entries }, places };
      place = -1;
      return whole;
    }
    if (command !== 'MULTI' && place >= 0) place += 1;
    return { request: { command, key: key?.toString('latin1') ?? '', entries: [] }, places: [] };
  };
}

/** Of `XADD key id e JSON c CHECKSUM`. */
function toEntry([id, , json = Buffer.alloc(0)]: readonly Buffer[]): TappedEntry {
  return { id: id?.toString('latin1') ?? '', crc: contentCrc(json), json: Buffer.from(json) };
}

function acceptedBy(reply: Buffer, { request, places }: Queued): readonly TappedEntry[] {
  if (request.entries.length === 0) return [];
  const items = respItems(reply);
  return request.entries.filter(({ id }, index) => {
    const answer = items[places[index] ?? -1];
    return answer?.[0] === 0x24 && answer.includes(id);
  });
}
