// How a process ended -> whether somebody else ended it. Pure.
import type { ProcessEnd } from './host-link.ts';

/** 128 + SIGKILL: how bubblewrap passes on that what runs in it got the signal. */
const PASSED_ON = 137;

/**
 * SIGKILL from outside; the filter of system calls leaves a plugin no way to send it. Bubblewrap gives the same number when
 * what runs in it exits with 137, but the host's main thread exits with 0 alone, and a worker's code ends the worker. Where nothing
 * is wrapped around the process, 137 is its own doing. What we sent, and what the kernel did for memory.max, is told apart by
 * `by` and by the group's oom_kill.
 */
export function wasKilled(
  { by, code, signal, use }: Pick<ProcessEnd, 'by' | 'code' | 'signal' | 'use'>,
  isWrapped: boolean,
): boolean {
  if (by !== 'itself' || (use?.oomKills ?? 0) > 0) return false;
  return signal === 'SIGKILL' || (isWrapped && code === PASSED_ON);
}
