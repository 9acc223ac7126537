// Plugs and unplugs at random ports on and on, at a steady rate, whatever happens to those who watch.
import { setTimeout as delay } from 'node:timers/promises';
import type { SeededRandom } from '../support/seeded-random.ts';
import type { BusDevice, UsbBus } from '../support/usb-bus.ts';
import type { PlugAccount } from './plug-account.ts';

export interface PlugFeed {
  /** Plugs nothing in or out until it is told to go on. */
  pause(): void;
  goOn(): void;
  setPace(everyMs: number): void;
  /** Resolves when every port is empty again. */
  stop(): Promise<void>;
}

const ports = ['1-1', '1-2', '1-3', '1-4.1', '1-4.2', '1-5'];

export function startPlugFeed(options: {
  readonly bus: UsbBus;
  readonly account: PlugAccount;
  readonly random: SeededRandom;
  readonly everyMs: number;
}): PlugFeed {
  const { bus, account, random } = options;
  let { everyMs } = options;
  const plugged = new Map<string, BusDevice>();
  const ending = new AbortController();
  let isPaused = false;
  const turn = (port: string) => {
    const device = plugged.get(port);
    if (device === undefined) {
      const fresh = account.next(port);
      account.plugged(fresh);
      plugged.set(port, fresh);
      bus.plug(fresh);
    } else {
      account.unplugged(device);
      plugged.delete(port);
      bus.unplug(port);
    }
  };
  const run = async () => {
    while (!ending.signal.aborted) {
      if (!isPaused) turn(random.pick(ports));
      await delay(everyMs);
    }
    for (const port of [...plugged.keys()]) turn(port);
  };
  const running = run();
  return {
    pause: () => {
      isPaused = true;
    },
    setPace: (ms) => {
      everyMs = ms;
    },
    goOn: () => {
      isPaused = false;
    },
    async stop() {
      ending.abort();
      await running;
    },
  };
}
