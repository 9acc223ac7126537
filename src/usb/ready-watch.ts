// udev's records -> when a device is ready: on `bind`, which follows once drivers are bound; where none comes (an old kernel),
// a while after `add`.
import { readdirSync, readlinkSync } from 'node:fs';
import path from 'node:path';
import type { UsbReadiness } from '../contracts/usb-device.ts';
import { errnoOf } from './errno-of.ts';
import type { DeviceRecord } from './interpret-record.ts';
import { readAddress } from './read-raw-device.ts';

export interface ReadyWatch {
  saw(record: DeviceRecord): void;
  /** The policy is through with the device: if it is authorized, its drivers are bound now, and udev says nothing of that. */
  passed(port: string): void;
  stop(): void;
}

export function createReadyWatch(options: {
  readonly folderOf: (port: string) => string;
  readonly fallbackMs: number;
  /** A device that nobody has authorized has no drivers: it is not ready. */
  readonly isAuthorized: (port: string) => boolean;
  readonly onReady: (record: DeviceRecord, readiness: UsbReadiness) => void;
}): ReadyWatch {
  const { folderOf, fallbackMs, onReady } = options;
  const timers = new Map<string, NodeJS.Timeout>();
  const waiting = new Map<string, DeviceRecord>();
  const cancel = (port: string) => {
    clearTimeout(timers.get(port));
    timers.delete(port);
  };
  const ready = (record: DeviceRecord) => {
    const { node, links, port } = record;
    if (!options.isAuthorized(port)) {
      waiting.set(port, record);
      return;
    }
    waiting.delete(port);
    const drivers = readDrivers(folderOf(port), port);
    onReady(record, { ...(node === undefined ? {} : { node }), drivers, links });
  };
  return {
    saw(record) {
      const { action, port, facts } = record;
      if (action === 'change') return;
      cancel(port);
      if (action === 'add' || action === 'remove') waiting.delete(port);
      if (action === 'bind') ready(record);
      if (action !== 'add') return;
      const fallback = () => {
        timers.delete(port);
        const address = readAddress(folderOf(port));
        if (address !== null && (facts.address === null || facts.address === address)) ready(record);
      };
      timers.set(port, setTimeout(fallback, fallbackMs));
    },
    passed(port) {
      const record = waiting.get(port);
      if (record !== undefined) ready(record);
    },
    stop() {
      waiting.clear();
      for (const timer of timers.values()) clearTimeout(timer);
      timers.clear();
    },
  };
}

/** Drivers of the interfaces below a device folder: sorted, each once. */
export function readDrivers(folder: string, port: string): string[] {
  const drivers = new Set<string>();
  for (const entry of readOr([], () => readdirSync(folder))) {
    if (!entry.startsWith(`${port}:`)) continue;
    const target = readOr(null, () => readlinkSync(path.join(folder, entry, 'driver')));
    if (target !== null) drivers.add(path.basename(target));
  }
  return [...drivers].sort();
}

/** A folder that has gone, and an interface without a driver, are nothing unusual. */
function readOr<T>(otherwise: T, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    errnoOf(cause);
    return otherwise;
  }
}
