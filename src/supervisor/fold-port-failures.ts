// Failures at ports -> few enough to be events: a loose contact fails many times a second. The first is told at once, the newest of those
// within a minute after it at the end of that minute; it says how many there were.
import type { ToldPortFailure } from '../usb/kernel-log/start-port-watch.ts';

export interface FoldedFailures {
  take(failure: ToldPortFailure): void;
  /** What waits is told. */
  flush(): void;
}

const PAUSE_MS = 60_000;
const MAX_PAUSES = 1_024;

interface Pause {
  readonly timer: NodeJS.Timeout;
  waiting: ToldPortFailure | null;
}

/** Each fault of each port by itself: a loose contact tells of several in turn. */
export function foldPortFailures(tell: (failure: ToldPortFailure) => void): FoldedFailures {
  const pauses = new Map<string, Pause>();
  const end = (key: string) => {
    const pause = pauses.get(key);
    pauses.delete(key);
    clearTimeout(pause?.timer);
    if (pause?.waiting) tell(pause.waiting);
  };
  return {
    take(failure) {
      const key = `${failure.port} ${failure.code}`;
      const pause = pauses.get(key);
      if (pause !== undefined) {
        pause.waiting = failure;
        return;
      }
      const [oldest] = pauses.keys();
      if (oldest !== undefined && pauses.size >= MAX_PAUSES) end(oldest);
      tell(failure);
      pauses.set(key, { timer: setTimeout(end, PAUSE_MS, key).unref(), waiting: null });
    },
    flush() {
      for (const key of [...pauses.keys()]) end(key);
    },
  };
}
