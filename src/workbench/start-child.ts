// A long-running program as a child of `npm start`: its lines one by one, its end as a promise, and an orderly stop.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

export interface ChildOptions {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly onLine?: (line: string) => void;
  /** From SIGTERM to SIGKILL. */
  readonly stopWithinMs: number;
}

export interface Child {
  readonly name: string;
  readonly pid: number | undefined;
  /** How it ended: `exit code 1`, `SIGKILL`, or why it could not be started. Never rejects. */
  readonly ended: Promise<string>;
  /** The latest of what it printed, oldest first. */
  readonly lastLines: readonly string[];
  stop(): Promise<void>;
}

const keptLines = 15;

export function startChild({ name, command, environment, cwd, onLine, stopWithinMs }: ChildOptions): Child {
  const [file, ...args] = command;
  // A process group of its own: Ctrl-C on the terminal reaches only us, and we decide the order of stopping.
  const child = spawn(file, args, {
    cwd,
    env: environment,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lastLines: string[] = [];
  for (const input of [child.stdout, child.stderr]) {
    createInterface({ input }).on('line', (line) => {
      lastLines.push(line);
      if (lastLines.length > keptLines) lastLines.shift();
      onLine?.(line);
    });
  }
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(`could not be started: ${error.message}`));
    // `close` and not `exit`: its last words have been read by then.
    child.once('close', (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
  return {
    name,
    pid: child.pid,
    ended,
    lastLines,
    async stop() {
      if (child.pid === undefined) return;
      child.kill('SIGTERM');
      const patience = new AbortController();
      const tooLate = delay(stopWithinMs, true, { signal: patience.signal }).catch(() => false);
      if (await Promise.race([ended.then(() => false), tooLate])) {
        killGroup(child.pid);
        await ended;
      }
      patience.abort();
      // Whatever it started and left behind.
      killGroup(child.pid);
    },
  };
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    // ESRCH: nobody is left in the group, which is what we want.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
