// QEMU's machine protocol over a unix socket: one JSON object a line, a command, its answer, and events in between.
import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { until } from './until.ts';

export interface Qmp {
  /** Rejects with QEMU's own words when the command is refused. */
  execute(command: string, args?: object): Promise<unknown>;
  /** Resolves with the next event of that name for which `matches` holds. */
  event(name: string, matches?: (data: Readonly<Record<string, unknown>>) => boolean): Promise<void>;
  close(): void;
}

interface Reply {
  readonly id?: number;
  readonly return?: unknown;
  readonly error?: { readonly desc: string };
  readonly event?: string;
  readonly data?: Readonly<Record<string, unknown>>;
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

export async function openQmp(socketPath: string): Promise<Qmp> {
  const socket = await until('the QMP socket of QEMU', () => tryConnect(socketPath));
  const answers = new Map<number, Waiting>();
  const listeners = new Set<(reply: Reply) => void>();
  const unanswered = new Set<(error: Error) => void>();
  let last = 0;

  createInterface(socket).on('line', (line) => {
    const reply = JSON.parse(line) as Reply;
    if (reply.event !== undefined) for (const listener of listeners) listener(reply);
    const waiting = reply.id === undefined ? undefined : answers.get(reply.id);
    if (reply.id === undefined || waiting === undefined) return;
    answers.delete(reply.id);
    if (reply.error === undefined) waiting.resolve(reply.return);
    else waiting.reject(new Error(`QMP: ${reply.error.desc}`));
  });
  socket.on('error', () => socket.destroy());
  socket.on('close', () => {
    for (const { reject } of answers.values()) reject(new Error('QMP: QEMU has ended'));
    answers.clear();
    for (const reject of unanswered) reject(new Error('QMP: QEMU has ended'));
  });

  const execute = (command: string, args: object = {}) =>
    new Promise<unknown>((resolve, reject) => {
      if (socket.destroyed) return reject(new Error(`QMP ${command}: QEMU has ended`));
      const id = ++last;
      answers.set(id, { resolve, reject });
      socket.write(`${JSON.stringify({ execute: command, arguments: args, id })}\n`);
    });
  await execute('qmp_capabilities');
  return {
    execute,
    event: (name, matches = () => true) =>
      new Promise((resolve, reject) => {
        const listener = (reply: Reply) => {
          if (reply.event !== name || !matches(reply.data ?? {})) return;
          listeners.delete(listener);
          unanswered.delete(reject);
          resolve();
        };
        listeners.add(listener);
        unanswered.add(reject);
      }),
    close: () => socket.destroy(),
  };
}

async function tryConnect(socketPath: string) {
  const socket = connect(socketPath);
  try {
    await once(socket, 'connect');
    return socket;
  } catch {
    // QEMU has not made its socket yet; the caller asks again.
    socket.destroy();
    return undefined;
  }
}
