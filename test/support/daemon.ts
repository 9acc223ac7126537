// The shipped file as a real process: `node dist/autoweave.mjs daemon` on a private Redis, with its bus fed by a script.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { daemonNodeFlags } from '../../src/lib/daemon-node-flags.ts';
import { tempDir } from './temp-dir.ts';
import { until } from './until.ts';
import type { Cleanup } from './with-cleanup.ts';

export interface Daemon {
  readonly pid: number;
  readonly url: string;
  readonly dir: string;
  /** Log lines so far, parsed. */
  readonly log: readonly Readonly<Record<string, unknown>>[];
  readonly process: ChildProcess;
  /** Resolves with the exit code, or the signal's name. */
  stop(signal?: NodeJS.Signals): Promise<number | string>;
}

export interface DaemonOptions {
  readonly redisSocket: string;
  readonly brokerUrl?: string | null;
  /** Kept over restarts by giving the same folder again. */
  readonly dir?: string;
  /** Sections laid over the ones made here. */
  readonly config?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** More of the command line. */
  readonly args?: readonly string[];
}

/** Resolves once `/health` answers. */
export async function startDaemon(t: Cleanup, options: DaemonOptions): Promise<Daemon> {
  const dir = options.dir ?? (await tempDir(t));
  const { child, log, exited } = spawnDaemon(await writeDaemonConfig(dir, options), {}, options.args);
  t.after(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  const url = await until('the status page answers', async () => {
    if (child.exitCode !== null) throw new Error(`the daemon ended with ${child.exitCode}`);
    const listening = log.find((line) => typeof line.url === 'string')?.url;
    return typeof listening === 'string' && (await fetch(`${listening}/health`)).status > 0 && listening;
  });
  return {
    pid: child.pid ?? 0,
    url,
    dir,
    log,
    process: child,
    stop(signal = 'SIGTERM') {
      child.kill(signal);
      return exited;
    },
  };
}

/** Resolves with the file; makes the folders it names. */
export async function writeDaemonConfig(dir: string, options: DaemonOptions): Promise<string> {
  const sysfsRoot = path.join(dir, 'sys');
  await mkdir(path.join(sysfsRoot, 'bus/usb/devices'), { recursive: true });
  await mkdir(path.join(dir, 'state'), { recursive: true });
  const given = options.config ?? {};
  const config = {
    ...given,
    appliance: {
      tenant: 'acme',
      site: 'lab',
      name: 'kiosk',
      stateDir: path.join(dir, 'state'),
      runDir: dir,
      ...given.appliance,
    },
    usb: {
      sysfsRoot,
      spoolFile: path.join(dir, 'spool'),
      monitorCommand: ['sleep', 'infinity'],
      crossCheck: false,
      debounceMs: 0,
      ...given.usb,
    },
    buffer: { redisSocket: options.redisSocket, ...given.buffer },
    uplink: { url: options.brokerUrl ?? null, backoffMinMs: 50, backoffMaxMs: 500, ...given.uplink },
    status: { port: 0, public: 'all', ...given.status },
    log: { level: 'debug', ...given.log },
  };
  const file = path.join(dir, 'autoweave.json');
  await writeFile(file, JSON.stringify(config));
  return file;
}

export interface SpawnedDaemon {
  readonly child: ChildProcess;
  readonly log: readonly Readonly<Record<string, unknown>>[];
  /** What it wrote to standard error, which is also passed on. */
  complaints(): string;
  /** Resolves with the exit code, or the signal's name. */
  readonly exited: Promise<number | string>;
}

/** The bare process; the caller ends it. `environment` is laid over this process's own. */
export function spawnDaemon(
  configFile: string,
  environment: Readonly<Record<string, string>> = {},
  args: readonly string[] = [],
): SpawnedDaemon {
  const command = [
    ...daemonNodeFlags,
    path.resolve('dist/autoweave.mjs'),
    'daemon',
    '--config',
    configFile,
    ...args,
  ];
  const child = spawn(process.execPath, command, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
  });
  const log: Record<string, unknown>[] = [];
  let complaints = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints += text;
    // A drill that asks for the inspector need not hear of it.
    if (!/debugg(er|ing)/i.test(text)) process.stderr.write(text);
  });
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) log.push(JSON.parse(line) as Record<string, unknown>);
  });
  const exited = new Promise<number | string>((resolve) =>
    child.on('exit', (code, signal) => resolve(code ?? signal ?? 'unknown')),
  );
  return { child, log, complaints: () => complaints, exited };
}
