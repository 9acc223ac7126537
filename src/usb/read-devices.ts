// Device folders of sysfs -> UsbDevices, in two steps: the bytes at once, the strings when the kernel hands them out.
import type { UsbDevice } from '../contracts/usb-device.ts';
import { claimedStrings, describeDevice } from './describe-device.ts';
import { type RawDevice, readAddress } from './read-raw-device.ts';
import type { ReadStrings } from './string-reader.ts';
import type { UsbNames } from './usb-names.ts';

/** What can be said within the time limit, and what is said later where that was not all. */
export interface Reading {
  readonly device: UsbDevice;
  /** It left meanwhile. */
  readonly isGone: boolean;
  /** The whole device, or null when it left before. */
  readonly later: Promise<UsbDevice | null> | null;
}

export type ReadDevice = (raw: RawDevice, port: string) => Promise<Reading>;

export function createDeviceReader(options: {
  readonly names: UsbNames;
  readonly readStrings: ReadStrings;
  readonly limitMs: number;
  /** Adds what is known besides, such as the policy's verdict. */
  readonly annotate?: (device: UsbDevice) => UsbDevice;
}): ReadDevice {
  const { names, readStrings, limitMs, annotate = (device) => device } = options;
  const describe = (...args: Parameters<typeof describeDevice>) => annotate(describeDevice(...args));
  return async (raw, port) => {
    const wanted = claimedStrings(raw);
    const whole = readStrings(raw.folder, wanted).then((strings) => {
      // The same path may be another device by now; then these strings are not this one's.
      if (strings === 'gone' || (wanted.length > 0 && readAddress(raw.folder) !== raw.address)) return null;
      return describe(raw, port, { strings, names });
    });
    const first = await within(whole, limitMs);
    if (first === 'late')
      return { device: describe(raw, port, { strings: 'late', names }), isGone: false, later: whole };
    const isGone = first === null;
    return { device: first ?? describe(raw, port, { strings: 'gone', names }), isGone, later: null };
  };
}

async function within<T>(promise: Promise<T>, limitMs: number): Promise<T | 'late'> {
  const limit = Promise.withResolvers<'late'>();
  const timer = setTimeout(() => limit.resolve('late'), limitMs);
  try {
    return await Promise.race([promise, limit.promise]);
  } finally {
    clearTimeout(timer);
  }
}
