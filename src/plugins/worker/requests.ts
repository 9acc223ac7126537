// Questions of the plugin to the daemon and their answers. Runs in the worker.
import type { PluginRequest } from '../protocol/from-host.ts';
import type { ToHost } from '../protocol/to-host.ts';

type Answer = Extract<ToHost, { t: 'answer' }>;

export interface Requests {
  /** Rejects with an Error that has a `code`. */
  ask(request: PluginRequest): Promise<unknown>;
  take(answer: Answer): void;
}

export function createRequests(
  say: (message: { t: 'request'; r: number; request: PluginRequest }) => void,
): Requests {
  const waiting = new Map<number, (answer: Answer) => void>();
  let last = 0;
  return {
    ask(request) {
      const { promise, reject, resolve } = Promise.withResolvers<unknown>();
      const r = ++last;
      waiting.set(r, (answer) => {
        if (answer.ok) resolve(answer.value);
        else reject(Object.assign(new Error(answer.reason), { code: answer.code }));
      });
      say({ t: 'request', r, request });
      return promise;
    },
    take(answer) {
      waiting.get(answer.r)?.(answer);
      waiting.delete(answer.r);
    },
  };
}
