// A real Redis in a temporary folder, started by the shipped redis-run with the shipped redis.conf. The user `admin`
// (any password) exists besides, for what tests must do and the product may not.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { tempDir } from './temp-dir.ts';
import { until } from './until.ts';

export const redisRun = path.resolve(import.meta.dirname, '../../rootfs/usr/lib/autoweave/redis-run');

export interface TestRedis {
  readonly socket: string;
  /** The data folder; `appendonlydir` lies in it. */
  readonly dir: string;
  /** Of the process that runs now; throws when none does. */
  readonly pid: number;
  /** Also while it is starting or stopped (SIGSTOP). */
  readonly isRunning: boolean;
  /** What redis-run and Redis printed so far. */
  readonly output: string;
  /** An orderly stop (SIGTERM), also of a stopped (SIGSTOP) process. */
  stop(): Promise<void>;
  /** SIGKILL by default. Resolves once the process is gone, or at once for other signals. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  start(): Promise<void>;
  /** Resolves once the process that runs now is gone, at once when none does. */
  ended(): Promise<void>;
  /** stop() and start(). */
  restart(): Promise<void>;
}

export interface TestRedisOptions {
  /** Default: a temporary folder. */
  readonly dir?: string;
  /** Of redis-server, such as `--maxmemory 8mb`. */
  readonly args?: readonly string[];
  /** A folder with redis-server and redis-check-aof, in place of this machine's. */
  readonly programs?: string;
  /** false: the caller starts it. */
  readonly started?: boolean;
}

export async function startRedis(
  t: Pick<TestContext, 'after'>,
  options: TestRedisOptions = {},
): Promise<TestRedis> {
  let child: ChildProcess | undefined;
  let output = '';
  // Before tempDir's own hook: hooks run in the order of their registration.
  t.after(() => redis.kill());
  const parent = await tempDir(t);
  const dir = options.dir ?? path.join(parent, 'data');
  const socket = path.join(parent, 'redis.sock');
  const env = { ...process.env };
  if (options.programs !== undefined) env.PATH = `${options.programs}:${env.PATH ?? ''}`;
  const args = [dir, socket, ...(options.args ?? []), '--user', 'admin', 'on', 'nopass', '~*', '&*', '+@all'];

  const redis: TestRedis = {
    socket,
    dir,
    get pid() {
      assert.ok(child?.pid !== undefined, 'Redis is not running');
      return child.pid;
    },
    get isRunning() {
      return child !== undefined && isRunning(child);
    },
    get output() {
      return output;
    },
    async start() {
      const starting = spawn(redisRun, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
      child = starting;
      for (const stream of [starting.stdout, starting.stderr])
        stream.setEncoding('utf8').on('data', (text: string) => {
          output += text;
        });
      await until('Redis answers', () => {
        assert.ok(isRunning(starting), `redis-run ended:\n${output}`);
        return isAnswering(socket);
      });
    },
    async ended() {
      if (child !== undefined && isRunning(child)) await once(child, 'exit');
    },
    async kill(signal = 'SIGKILL') {
      if (child === undefined || !isRunning(child)) return;
      const ended = redis.ended();
      child.kill(signal);
      if (signal === 'SIGKILL' || signal === 'SIGTERM') await ended;
    },
    async stop() {
      await redis.kill('SIGCONT');
      await redis.kill('SIGTERM');
    },
    async restart() {
      await redis.stop();
      await redis.start();
    },
  };
  if (options.started !== false) await redis.start();
  return redis;
}

function isRunning({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode === null && signalCode === null;
}

/** Whether a server at the socket answers PING with PONG (and not with LOADING). */
function isAnswering(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = net.connect(socket, () => connection.write('PING\r\n'));
    const answer = (value: boolean) => {
      resolve(value);
      connection.destroy();
    };
    connection.once('data', (data) => answer(data.toString().startsWith('+PONG')));
    connection.once('error', () => answer(false));
    connection.once('close', () => resolve(false));
  });
}
