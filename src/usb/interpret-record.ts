// One monitor record -> what it says about a USB device, or null when it says nothing about one. Pure.
import type { UeventFacts } from './describe-device.ts';
import type { MonitorRecord } from './parse-monitor-records.ts';
import { isDevicePort, isRootHub, portOf } from './usb-port.ts';

export interface DeviceRecord {
  readonly origin: 'kernel' | 'udev';
  readonly action: 'add' | 'remove' | 'change' | 'bind';
  readonly port: string;
  readonly seqnum: number;
  readonly uptimeMs: number;
  readonly facts: UeventFacts;
  readonly node: string | undefined;
  readonly links: string[];
  /** Somebody wrote to the device's `uevent` file (udevadm trigger): nothing was plugged in or out. */
  readonly isSynthetic: boolean;
}

const MAX_LINKS = 64;

/** 'bad-port' for a usb_device with a path that no port has. */
export function interpretRecord(record: MonitorRecord): DeviceRecord | 'bad-port' | null {
  const { origin, action, subsystem, properties, seqnum, uptimeMs } = record;
  if (subsystem !== 'usb' || properties.get('DEVTYPE') !== 'usb_device') return null;
  if (action !== 'add' && action !== 'remove' && action !== 'change' && action !== 'bind') return null;
  const port = portOf(record.devpath);
  if (isRootHub(port)) return null;
  if (!isDevicePort(port)) return 'bad-port';
  return {
    origin,
    action,
    port,
    seqnum,
    uptimeMs,
    facts: {
      bus: toNumber(properties.get('BUSNUM')),
      address: toNumber(properties.get('DEVNUM')),
      product: properties.get('PRODUCT') ?? null,
      type: properties.get('TYPE') ?? null,
      serial: properties.get('ID_SERIAL_SHORT'),
    },
    node: nodeOf(properties.get('DEVNAME')),
    links: (properties.get('DEVLINKS') ?? '').split(' ').filter(isLink).slice(0, MAX_LINKS),
    isSynthetic: properties.has('SYNTH_UUID'),
  };
}

function isLink(text: string): boolean {
  return /^\/dev\/[\x21-\x7e]{1,255}$/.test(text);
}

/** The kernel says `bus/usb/001/004`, udevadm and udev `/dev/bus/usb/001/004`. */
function nodeOf(name: string | undefined): string | undefined {
  if (name === undefined) return undefined;
  const full = name.startsWith('/') ? name : `/dev/${name}`;
  return /^\/dev\/[\x21-\x7e]{1,255}$/.test(full) ? full : undefined;
}

function toNumber(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : null;
}
