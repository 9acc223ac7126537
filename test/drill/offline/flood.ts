// Short plugs as fast as the appliance stores them: each is an `add` and a `remove` in the words of the udev monitor, gone before it
// could be read, so that two records become two events and no sysfs slows it down. Never more on its way than the memory queue holds.
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Cleanup } from '../../support/with-cleanup.ts';

export interface Flood {
  /** Resolves once `events` more (an even number) have been stored. */
  send(events: number): Promise<void>;
  /** At a steady rate until stopped; resolves with the number of events. */
  trickle(eventsPerSecond: number, signal: AbortSignal): Promise<number>;
}

const ON_ITS_WAY_MAX = 20_000;
const EVENTS_A_WRITE = 500;
const PORTS = 8;

/** @param acknowledged how many events have been stored so far */
export function openFlood(t: Cleanup, fifo: string, acknowledged: () => number): Flood {
  const stream = createWriteStream(fifo, { flags: 'r+' });
  t.after(() => stream.destroy());
  let cycles = 0;
  const records = (count: number) => {
    let text = '';
    for (let left = count / 2; left > 0; left -= 1) {
      cycles += 1;
      text += recordOf('add', cycles, 2 * cycles) + recordOf('remove', cycles, 2 * cycles + 1);
    }
    return text;
  };
  const write = async (text: string) => {
    if (!stream.write(text)) await once(stream, 'drain');
  };
  return {
    async send(events) {
      const [before, sentBefore] = [acknowledged(), 2 * cycles];
      for (let sent = 0; sent < events; sent = 2 * cycles - sentBefore) {
        await write(records(Math.min(EVENTS_A_WRITE, events - sent)));
        while (2 * cycles - sentBefore - (acknowledged() - before) > ON_ITS_WAY_MAX) await delay(2);
      }
      while (acknowledged() - before < events) await delay(5);
    },
    async trickle(eventsPerSecond, signal) {
      const from = 2 * cycles;
      for (let began = performance.now(); !signal.aborted; ) {
        const due = ((performance.now() - began) / 1_000) * eventsPerSecond - (2 * cycles - from);
        if (due >= 2) await write(records(2 * Math.floor(due / 2)));
        await delay(10);
      }
      return 2 * cycles - from;
    },
  };
}

function recordOf(action: 'add' | 'remove', cycle: number, seqnum: number): string {
  const port = `1-${1 + (cycle % PORTS)}`;
  const devpath = `/devices/pci0000:00/0000:00:04.0/usb1/${port}`;
  const seconds = (Number(process.hrtime.bigint()) / 1e9).toFixed(6);
  const address = 1 + (cycle % 120);
  const properties = {
    ...{ ACTION: action, DEVPATH: devpath, SUBSYSTEM: 'usb', DEVTYPE: 'usb_device' },
    ...{ PRODUCT: `1000/${(cycle & 0xffff).toString(16)}/100`, TYPE: '0/0/0', BUSNUM: '001' },
    ...{ DEVNUM: String(address).padStart(3, '0'), SEQNUM: String(1_000_000 + seqnum) },
  };
  const lines = Object.entries(properties).map(([key, value]) => `${key}=${value}\n`);
  return `KERNEL[${seconds}] ${action.padEnd(8)} ${devpath} (usb)\n${lines.join('')}\n`;
}
