// Feeds the machine's watchdog as long as this loop turns and the bus is watched. Everything else that may be wrong (a full disk, no broker,
// no store) is no reason for a reset. On the daemon's thread: a thread of its own would feed for a loop that hangs.
import { closeSync, openSync, writeSync } from 'node:fs';
import type { ReportHealth } from '../contracts/health.ts';
import type { Log } from '../contracts/log.ts';
import { errorText } from '../lib/error-text.ts';

export interface WatchdogFeeder {
  /** Leaves it armed: who comes next has as long as the machine gives him. */
  stop(): void;
}

/**
 * The device was armed by the machine's start. It is opened at the first feeding, and never asked to be disarmed (no `V`): a daemon that
 * does not come back is a reason for a reset too. Synchronous, because a thread pool that waits for a stuck disk would not feed.
 * @param periodMs a twelfth of the watchdog's limit, so that a busy moment is no reset
 */
export function feedWatchdog(options: {
  readonly device: string;
  readonly periodMs: number;
  /** true, or why it is not fed. */
  readonly isAlive: () => true | string;
  readonly report: ReportHealth;
  readonly log: Log;
}): WatchdogFeeder {
  const { device, isAlive, log, periodMs, report } = options;
  let descriptor: number | null = null;
  let said = '';

  const say = (state: 'ok' | 'down', why: string) => {
    report(state, why);
    if (state === 'down' && why !== said)
      log.error({ device, why }, 'the watchdog is not fed: it will reset the machine');
    said = why;
  };
  const feed = () => {
    const alive = isAlive();
    if (alive !== true) return say('down', `not fed, because ${alive}`);
    try {
      descriptor ??= openSync(device, 'w');
      writeSync(descriptor, '\0');
      say('ok', `${device} is fed every ${periodMs / 1_000} s`);
    } catch (cause) {
      say('down', `${device} cannot be fed: ${errorText(cause)}`);
    }
  };

  feed();
  const timer = setInterval(feed, periodMs).unref();
  return {
    stop() {
      clearInterval(timer);
      if (descriptor !== null) closeSync(descriptor);
      descriptor = null;
    },
  };
}
