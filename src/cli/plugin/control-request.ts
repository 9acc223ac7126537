// One question to the running daemon through its control socket -> its answer, or an error that says what to do.
import { request } from 'node:http';
import { AppError } from '../../lib/app-error.ts';
import { errorText } from '../../lib/error-text.ts';

export const defaultSocket = '/run/autoweave/control.sock';
const LIMIT_MS = 120_000;

export interface ControlQuestion {
  readonly socket: string;
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly body?: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

/** @throws AppError with the daemon's own code where it says no; `cli.no-daemon` where nobody answers. */
export async function controlRequest(question: ControlQuestion): Promise<Readonly<Record<string, unknown>>> {
  const { status, text } = await ask(question);
  const answer = JSON.parse(text) as Readonly<Record<string, unknown>>;
  if (status < 400) return answer;
  throw new AppError(String(answer.code), String(answer.detail));
}

function ask({ socket, method, path, body, headers = {} }: ControlQuestion) {
  const { promise, reject, resolve } = Promise.withResolvers<{ status: number; text: string }>();
  const asking = request({ socketPath: socket, method, path, headers, timeout: LIMIT_MS }, (response) => {
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    response.on('end', () =>
      resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }),
    );
  });
  asking.on('timeout', () => asking.destroy(new Error(`no answer for ${LIMIT_MS / 1_000} s`)));
  asking.on('error', (cause) =>
    reject(
      new AppError(
        'cli.no-daemon',
        `ask the daemon at ${socket}: ${errorText(cause)}; it must run, and this user be its user, its group or root (--socket names another place)`,
        { cause },
      ),
    ),
  );
  asking.end(body);
  return promise;
}
