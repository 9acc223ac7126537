// The children of one `npm start`, in the order of their start; they stop in reverse, and the first that ends by itself is news.
import type { RunningFile } from './running-file.ts';
import { type Child, type ChildOptions, startChild } from './start-child.ts';

export interface Crew {
  /** Throws once `signal` is aborted: nothing may start while the others are stopped. */
  launch(child: Pick<ChildOptions, 'name' | 'command' | 'stopWithinMs' | 'onLine'>): Child;
  /** The first that ends, whether or not it was told to. */
  readonly died: Promise<Child>;
  stopAll(): Promise<void>;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

export function assembleCrew(options: {
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly running: RunningFile;
  readonly say: (line: string) => void;
}): Crew {
  const { cwd, environment, running, say } = options;
  const children: Child[] = [];
  const stopping = new AbortController();
  const died = Promise.withResolvers<Child>();
  return {
    launch(child) {
      stopping.signal.throwIfAborted();
      const started = startChild({ ...child, cwd, environment });
      children.push(started);
      if (started.pid !== undefined) running.add(started.pid);
      void started.ended.then(() => died.resolve(started));
      return started;
    },
    died: died.promise,
    async stopAll() {
      stopping.abort();
      for (const child of children.reverse()) {
        await child.stop();
        say(`${child.name} has stopped (${await child.ended})`);
      }
    },
    signal: stopping.signal,
    say,
  };
}
