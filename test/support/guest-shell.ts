// Commands and questions for the agent that only the test's variant of the root contains: run as root, answered as one JSON object
// a line.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';

export interface ShellResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface GuestShell {
  /** Runs a script with the guest's /bin/sh; a failure of the script is a value. Rejects after `limitMs` (2 min). */
  run(script: string, limitMs?: number): Promise<ShellResult>;
  /** Like `run`, but a failing script rejects with what it said. */
  must(script: string, limitMs?: number): Promise<string>;
  /** Asks the daemon's control socket; the text of `{ status, body }`. `bundle`: a file in the guest, its signature beside it. */
  ask(question: ControlQuestion, limitMs?: number): Promise<string>;
  close(): void;
}

export interface ControlQuestion {
  readonly method: string;
  readonly path: string;
  readonly bundle?: string;
}

interface Answer extends ShellResult {
  readonly id: number;
}

/** May be opened before the guest runs; the first script must wait until the agent listens. */
export async function openGuestShell(socketPath: string): Promise<GuestShell> {
  const socket: Socket = connect(socketPath);
  await once(socket, 'connect');
  const waiting = new Map<number, { resolve(answer: Answer): void; reject(error: Error): void }>();
  let last = 0;
  createInterface(socket).on('line', (line) => {
    const answer = JSON.parse(line) as Answer;
    waiting.get(answer.id)?.resolve(answer);
    waiting.delete(answer.id);
  });
  socket.on('error', () => socket.destroy());
  socket.on('close', () => {
    for (const { reject } of waiting.values()) reject(new Error('guest shell: the guest has ended'));
    waiting.clear();
  });
  const send = (work: { readonly script: string } | { readonly ask: ControlQuestion }, limitMs = 120_000) =>
    new Promise<ShellResult>((resolve, reject) => {
      if (socket.destroyed) return reject(new Error('guest shell: the guest has ended'));
      const id = ++last;
      const timer = setTimeout(
        () => reject(new Error(`guest shell: ${JSON.stringify(work)} gave no answer within ${limitMs} ms`)),
        limitMs,
      );
      const done =
        <T>(settle: (value: T) => void) =>
        (value: T) => {
          clearTimeout(timer);
          settle(value);
        };
      waiting.set(id, { resolve: done(resolve), reject: done(reject) });
      socket.write(`${JSON.stringify({ id, ...work })}\n`);
    });
  const run = (script: string, limitMs?: number) => send({ script }, limitMs);
  return {
    run,
    async ask(question, limitMs) {
      const { code, stderr, stdout } = await send({ ask: question }, limitMs);
      if (code !== 0) throw new Error(`guest: ${question.method} ${question.path}: ${stderr}`);
      return stdout;
    },
    async must(script, limitMs) {
      const { code, stdout, stderr } = await run(script, limitMs);
      if (code !== 0)
        throw new Error(`guest: ${script} ended with ${code}: ${stderr.trim() || stdout.trim()}`);
      return stdout;
    },
    close: () => socket.destroy(),
  };
}
