// One connection to Redis, from connect to loss. It never reconnects, queues or repeats by itself: whether something
// was stored is decided by the writer, which asks.
import { Redis } from 'ioredis';
import type { BufferConfig } from '../contracts/config/buffer-config.ts';
import { errorText } from '../lib/error-text.ts';
import { type BufferError, bufferError, stoppedError } from './buffer-error.ts';

/** How the server knows this connection; a restarted server has another run id. */
export interface LinkIdentity {
  readonly runId: string;
  readonly clientId: number;
}

export interface RedisLink {
  readonly identity: LinkIdentity;
  readonly isOpen: boolean;
  /**
   * Sends and waits for the reply, at most commandTimeoutMs; then the whole connection is given up, because its later
   * replies could not be told apart. Throws BufferError: `redis-refused` is Redis's own answer, anything else means unknown.
   */
  exchange<T>(what: string, send: (redis: Redis) => Promise<T>): Promise<T>;
  onLost(listener: (why: BufferError) => void): void;
  close(why: BufferError): void;
}

/** Rejects with a BufferError. The signal closes it, also while it is being opened. */
export async function openRedisLink(config: BufferConfig, signal: AbortSignal): Promise<RedisLink> {
  if (signal.aborted) throw stoppedError();
  const { redisSocket, username, password, commandTimeoutMs } = config;
  const redis = new Redis({
    path: redisSocket,
    ...(username === undefined ? {} : { username, password: password ?? '' }),
    ...(password === undefined ? {} : { password }),
    protocol: 2,
    lazyConnect: true,
    connectTimeout: commandTimeoutMs,
    // `end` of a hung server's socket is never answered; then it is destroyed.
    disconnectTimeout: 50,
    retryStrategy: null,
    enableOfflineQueue: false,
    enableReadyCheck: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: null,
    disableClientInfo: true,
    connectionName: 'autoweave',
  });
  const listeners: ((why: BufferError) => void)[] = [];
  let lostWhy: BufferError | undefined;
  let lastError: unknown;

  const close = (why: BufferError) => {
    if (lostWhy !== undefined) return;
    lostWhy = why;
    signal.removeEventListener('abort', stop);
    redis.disconnect();
    for (const listener of listeners) listener(why);
  };
  const stop = () => close(stoppedError());
  signal.addEventListener('abort', stop);
  redis.on('error', (error: unknown) => {
    lastError = error;
  });
  redis.on('close', () => close(unreachable('Redis closed the connection', lastError)));

  /** Gives the whole connection up when `work` takes too long; its rejection then follows from that. */
  const inTime = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    const timer = setTimeout(() => {
      const reason = `Redis did not answer within ${commandTimeoutMs} ms (${what}): it hangs, or its disk does`;
      close(bufferError('buffer.redis-timed-out', reason));
    }, commandTimeoutMs);
    try {
      return await work();
    } finally {
      clearTimeout(timer);
    }
  };
  const exchange: RedisLink['exchange'] = async (what, send) => {
    if (lostWhy !== undefined) throw lostWhy;
    try {
      return await inTime(what, () => send(redis));
    } catch (thrown) {
      if (lostWhy !== undefined) throw lostWhy;
      if (thrown instanceof Error && thrown.name === 'ReplyError')
        throw bufferError('buffer.redis-refused', `Redis refused (${what})`, firstCause(thrown));
      const why = unreachable(`Redis connection failed (${what})`, thrown);
      close(why);
      throw why;
    }
  };

  try {
    await inTime('connect', () => redis.connect());
  } catch (thrown) {
    const why = lostWhy ?? unreachable(`Redis cannot be reached at ${redisSocket}`, lastError ?? thrown);
    close(why);
    throw why;
  }
  let identity: LinkIdentity;
  try {
    identity = await exchange('who am I', readIdentity);
  } catch (thrown) {
    close(unreachable('Redis connection failed', thrown));
    throw thrown;
  }

  return {
    identity,
    get isOpen() {
      return lostWhy === undefined;
    },
    exchange,
    onLost: (listener) => (lostWhy === undefined ? void listeners.push(listener) : listener(lostWhy)),
    close,
  };
}

async function readIdentity(redis: Redis): Promise<LinkIdentity> {
  const [clientId, info] = await Promise.all([redis.client('ID'), redis.info('server')]);
  return { clientId, runId: /^run_id:(\w+)/m.exec(info)?.[1] ?? '' };
}

function unreachable(message: string, cause: unknown): BufferError {
  return bufferError('buffer.redis-unreachable', message, cause);
}

/** Of a discarded transaction: the reason why its first command was refused, not that it was discarded. */
function firstCause(error: Error & { readonly previousErrors?: readonly Error[] }): Error {
  const [first] = error.previousErrors ?? [];
  return first === undefined ? error : new Error(errorText(first));
}
