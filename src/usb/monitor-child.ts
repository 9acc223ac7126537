// Runs a command that prints what happens as a long-lived child of the daemon; starts it again, with back-off, whenever it ends.
// When the daemon itself dies, the child ends at its next record, on the closed pipe.
import { type ChildProcess, spawn } from 'node:child_process';
import { errorText } from '../lib/error-text.ts';

export interface MonitorEvents {
  readonly onOutput: (chunk: Buffer) => void;
  /** The child is subscribed: it ends its greeting with an empty line; one that greets nobody is believed after `readyMs`. */
  readonly onReady: () => void;
  readonly onLost: (why: string) => void;
  readonly onComplaint: (text: string) => void;
}

export interface MonitorChild {
  /** Ends the child; it comes back by itself. */
  restart(why: string): void;
  stop(): Promise<void>;
}

export interface MonitorTimings {
  readonly backoffMinMs: number;
  readonly backoffMaxMs: number;
  /** A child that lived for so long has recovered: the back-off starts from the beginning. */
  readonly steadyMs: number;
  readonly killMs: number;
  readonly readyMs: number;
}

const MAX_COMPLAINT = 500;
const MAX_GREETING = 4_096;

/**
 * INVARIANTS
 * - At most one child at a time; the next starts after the last has been reaped.
 * - Every child brings at most one onReady and exactly one onLost, unless stop() ended it.
 * - Output of a child is handed on before its onLost.
 */
export function startMonitorChild(
  command: readonly string[],
  events: MonitorEvents,
  timings: MonitorTimings,
  /** What it reads: an open descriptor. */
  input: number | 'ignore' = 'ignore',
): MonitorChild {
  let child: ChildProcess | undefined;
  let timer: NodeJS.Timeout | undefined;
  let backoffMs = timings.backoffMinMs;
  let endWhy: string | undefined;
  let isStopping = false;
  const stopped = Promise.withResolvers<void>();

  const start = () => {
    const began = performance.now();
    let greeting: string | null = '';
    endWhy = undefined;
    const ready = () => {
      greeting = null;
      clearTimeout(readyTimer);
      if (!isStopping) events.onReady();
    };
    const readyTimer = setTimeout(ready, timings.readyMs);
    const [file = '', ...args] = command;
    const started = spawn(file, args, { stdio: [input, 'pipe', 'pipe'] });
    child = started;
    started.stdout?.on('data', (chunk: Buffer) => {
      if (isStopping) return;
      if (greeting !== null) {
        greeting += chunk.toString('latin1', 0, MAX_GREETING);
        if (/\n\r?\n/.test(greeting) || greeting.length > MAX_GREETING) ready();
      }
      events.onOutput(chunk);
    });
    started.stderr?.on('data', (chunk: Buffer) =>
      events.onComplaint(chunk.toString('utf8', 0, MAX_COMPLAINT).trim()),
    );
    onceEnded(started, timings.killMs, (why) => {
      child = undefined;
      clearTimeout(readyTimer);
      if (isStopping) return stopped.resolve();
      if (performance.now() - began >= timings.steadyMs) backoffMs = timings.backoffMinMs;
      timer = setTimeout(start, backoffMs);
      backoffMs = Math.min(backoffMs * 2, timings.backoffMaxMs);
      events.onLost(endWhy ?? why);
    });
  };

  const end = () => {
    const ending = child;
    if (ending === undefined) return;
    ending.kill('SIGTERM');
    const kill = setTimeout(() => ending.kill('SIGKILL'), timings.killMs);
    ending.once('exit', () => clearTimeout(kill));
  };

  start();
  return {
    restart(why) {
      endWhy = why;
      end();
    },
    async stop() {
      isStopping = true;
      clearTimeout(timer);
      if (child === undefined) return;
      end();
      await stopped.promise;
    },
  };
}

/** After exit and after the last output; a grandchild that keeps the pipe open is not waited for. */
function onceEnded(child: ChildProcess, patienceMs: number, ended: (why: string) => void): void {
  let why = 'it ended';
  let isDone = false;
  const done = () => {
    if (isDone) return;
    isDone = true;
    child.stdout?.destroy();
    child.stderr?.destroy();
    ended(why);
  };
  child.once('error', (cause) => {
    why = errorText(cause);
    // Without a pid there is no child, so no exit will come.
    if (child.pid === undefined) done();
  });
  child.once('exit', (code, signal) => {
    why = signal === null ? `it ended with code ${code}` : `it was ended by ${signal}`;
    const patience = setTimeout(done, patienceMs);
    child.once('close', () => {
      clearTimeout(patience);
      done();
    });
  });
}
