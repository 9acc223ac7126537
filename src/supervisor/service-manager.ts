// Tells systemd that the appliance is ready, alive and stopping, where systemd asked for it (Type=notify, WatchdogSec=). Node has no
// unix datagram sockets, so the program systemd-notify says it; only a loop that turns can start one.
import { execFile } from 'node:child_process';
import type { Log } from '../contracts/log.ts';
import { errorText } from '../lib/error-text.ts';

const COMMAND_LIMIT_MS = 10_000;

export interface ServiceManager {
  /** Resolves when systemd has heard it; a failure is logged, never thrown. */
  ready(): Promise<void>;
  stopping(): Promise<void>;
}

export function openServiceManager(options: {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
}): ServiceManager {
  const { environment, log } = options;
  const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: limit, WATCHDOG_PID: watched } = environment;
  let timer: NodeJS.Timeout | undefined;
  let hasComplained = false;

  const say = (...words: string[]): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    if (socket === undefined || socket === '') resolve();
    else {
      // It looks for the socket in its environment, and for nothing else there.
      const env = { PATH: environment.PATH, NOTIFY_SOCKET: socket };
      execFile('systemd-notify', words, { env, timeout: COMMAND_LIMIT_MS }, (cause) => {
        if (cause !== null && !hasComplained) {
          hasComplained = true;
          log.warn({ why: errorText(cause) }, 'systemd was not told: it will start this service again');
        }
        resolve();
      });
    }
    return promise;
  };

  return {
    async ready() {
      await say('--ready', 'WATCHDOG=1');
      const periodMs = Number(limit) / 1_000 / 3;
      const isMeant = watched === undefined || Number(watched) === process.pid;
      // sd_watchdog_enabled(3): a limit without a number, or for another process, is none.
      if (socket === undefined || !(periodMs > 0) || !isMeant) return;
      timer = setInterval(() => void say('WATCHDOG=1'), periodMs).unref();
    },
    async stopping() {
      clearInterval(timer);
      await say('STOPPING=1');
    },
  };
}
