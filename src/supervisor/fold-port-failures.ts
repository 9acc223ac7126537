// Failures at ports -> few enough to be events: a loose contact fails many times a second. The first is told at once, the newest of those
// within a minute after it at the end of that minute; it says how many there were.
import type { ToldPortFailure } from '../usb/kernel-log/start-port-watch.ts';

export interface FoldedFailures {
  take(failure: ToldPortFailure): void;
  /** What waits is told. */
  flush(): void;
}

const PAUSE_MS = 60_000;
const MAX_PORTS = 256;

interface Pause {
  readonly code: string;
  readonly timer: NodeJS.Timeout;
  waiting: ToldPortFailure | null;
}

export function foldPortFailures(tell: (failure: ToldPortFailure) => void): FoldedFailures {
  const pauses = new Map<string, Pause>();
  const end = (port: string) => {
    const pause = pauses.get(port);
    pauses.delete(port);
    clearTimeout(pause?.timer);
    if (pause?.waiting) tell(pause.waiting);
  };
  return {
    take(failure) {
      const { code, port } = failure;
      const pause = pauses.get(port);
      if (pause?.code === code) {
        pause.waiting = failure;
        return;
      }
      end(port);
      const [oldest] = pauses.keys();
      if (oldest !== undefined && pauses.size >= MAX_PORTS) end(oldest);
      tell(failure);
      const timer = setTimeout(end, PAUSE_MS, port).unref();
      pauses.set(port, { code, timer, waiting: null });
    },
    flush() {
      for (const port of [...pauses.keys()]) end(port);
    },
  };
}
