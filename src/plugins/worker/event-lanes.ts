// Events -> the plugin's handler, one after the other, in one lane or in one for each subject. A failing one is tried again in its
// place, so that what follows it in its lane waits. Runs in the worker.
import type { PluginEvent } from '../../../plugins/api/plugin-api.ts';

const FIRST_PAUSE_MS = 100;

export interface EventLanes {
  take(n: number, event: PluginEvent): void;
  /** Resolves when nothing is being handled. */
  idle(): Promise<void>;
}

export function createEventLanes(options: {
  readonly tries: number;
  readonly laneOf: (event: PluginEvent) => string;
  readonly handle: (event: PluginEvent) => unknown;
  readonly onDone: (n: number) => void;
  readonly onRefused: (n: number, tries: number, cause: unknown) => void;
}): EventLanes {
  const lanes = new Map<string, Promise<void>>();

  const handle = async (n: number, event: PluginEvent): Promise<void> => {
    for (let tried = 1; ; tried++) {
      try {
        await options.handle(event);
        options.onDone(n);
        return;
      } catch (cause) {
        if (tried >= options.tries) {
          options.onRefused(n, tried, cause);
          return;
        }
        await new Promise((resolve) => setTimeout(resolve, FIRST_PAUSE_MS * 2 ** (tried - 1)));
      }
    }
  };

  return {
    take(n, event) {
      const lane = options.laneOf(event);
      const before = lanes.get(lane) ?? Promise.resolve();
      const mine = before.then(() => handle(n, event));
      lanes.set(lane, mine);
      void mine.then(() => {
        if (lanes.get(lane) === mine) lanes.delete(lane);
      });
    },
    async idle() {
      while (lanes.size > 0) await Promise.all(lanes.values());
    },
  };
}
