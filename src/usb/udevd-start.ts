// When the udevd that runs now was started, out of /proc: only a udevd that never died can have noted everything.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { errnoOf } from './errno-of.ts';

/** USER_HZ, the same on every architecture this runs on. */
const TICKS_A_SECOND = 100;
/** Position of `starttime` after the command's closing parenthesis (proc(5), field 22). */
const START_FIELD = 19;

/** Uptime in milliseconds; null when none runs or this user cannot see it. Its workers are younger: the oldest counts. */
export function readUdevdStart(procRoot: string): number | null {
  let oldest: number | null = null;
  for (const pid of listOr([], () => readdirSync(procRoot))) {
    if (!/^\d+$/.test(pid)) continue;
    // A process that ends meanwhile has no file any more.
    const stat = listOr('', () => readFileSync(path.join(procRoot, pid, 'stat'), 'latin1'));
    const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
    if (name !== 'udevd' && name !== 'systemd-udevd') continue;
    const start = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[START_FIELD]);
    const uptimeMs = (start * 1_000) / TICKS_A_SECOND;
    if (Number.isFinite(uptimeMs) && (oldest === null || uptimeMs < oldest)) oldest = uptimeMs;
  }
  return oldest;
}

function listOr<T>(otherwise: T, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    errnoOf(cause);
    return otherwise;
  }
}
