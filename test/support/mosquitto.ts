// A real mosquitto on 127.0.0.1 with a port and a folder of its own; gone with the test that asked for it.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { freePort } from './free-port.ts';
import { tempDir } from './temp-dir.ts';
import { until } from './until.ts';

export interface Mosquitto {
  readonly port: number;
  /** `mqtt://127.0.0.1:<port>` */
  readonly url: string;
  /** Of the process that runs now. */
  readonly pid: number;
  /** Also holds `mosquitto.log`. */
  readonly dir: string;
  stop(signal?: NodeJS.Signals): Promise<void>;
  /** Kills it with SIGKILL if it still runs, and starts it on the same port. */
  restart(): Promise<void>;
}

export interface MosquittoOptions {
  /** More lines for the configuration file; they follow the `listener` line, so `cafile`, `protocol` … belong to it. */
  readonly config?: readonly string[];
  readonly port?: number;
}

export async function startMosquitto(
  t: Pick<TestContext, 'after'>,
  options: MosquittoOptions = {},
): Promise<Mosquitto> {
  const { config = [] } = options;
  const dir = await tempDir(t);
  const port = options.port ?? (await freePort());
  const logFile = path.join(dir, 'mosquitto.log');
  const anonymous = config.some((line) => line.startsWith('allow_anonymous'));
  const lines = [
    `listener ${port} 127.0.0.1`,
    ...config,
    ...(anonymous ? [] : ['allow_anonymous true']),
    ...(process.getuid?.() === 0 ? ['user root'] : []),
    'set_tcp_nodelay true',
    `log_dest file ${logFile}`,
    '',
  ];
  const file = path.join(dir, 'mosquitto.conf');
  await writeFile(file, lines.join('\n'));

  let child: ChildProcess | undefined;
  const start = async () => {
    child = spawn('mosquitto', ['-c', file], { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const failed = once(child, 'exit').then(async () => {
      throw new Error(`mosquitto ended at once: ${said}${await readFile(logFile, 'utf8').catch(() => '')}`);
    });
    await Promise.race([until(`mosquitto listens on ${port}`, () => canConnect(port)), failed]);
    // From here on an exit is the test's doing.
    failed.catch(() => undefined);
  };
  const stop = async (signal: NodeJS.Signals = 'SIGTERM') => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  };
  t.after(() => stop('SIGKILL'));
  await start();
  return {
    port,
    url: `mqtt://127.0.0.1:${port}`,
    get pid() {
      assert.ok(child?.pid !== undefined);
      return child.pid;
    },
    dir,
    stop,
    async restart() {
      await stop('SIGKILL');
      await start();
    },
  };
}

async function canConnect(port: number): Promise<boolean> {
  const socket = net.connect({ port, host: '127.0.0.1' });
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    // Refused: not listening yet.
    return false;
  } finally {
    socket.destroy();
  }
}
