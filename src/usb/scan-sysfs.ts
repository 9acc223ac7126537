// <sysfs>/bus/usb/devices -> the devices that are plugged in, root hubs excepted. Yields to the event loop now and then.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { UsbDevice } from '../contracts/usb-device.ts';
import { errnoOf } from './errno-of.ts';
import type { ReadDevice } from './read-devices.ts';
import { readRawDevice } from './read-raw-device.ts';
import { isDevicePort } from './usb-port.ts';

export interface Scan {
  readonly devices: readonly UsbDevice[];
  /** Devices whose strings were locked: they follow. */
  readonly later: readonly Promise<UsbDevice | null>[];
  /** Everything up to this uevent is contained in the scan; null where the kernel does not tell. */
  readonly seqnum: number | null;
  /** More devices than a bus can have: the rest was left out. */
  readonly isCut: boolean;
}

/** 127 a bus; more than that is no bus but a broken or hostile tree. */
const MAX_DEVICES = 2_048;
const DEVICES_A_TURN = 16;

/** The errno when the folder cannot be read. A device that disappears during the scan is left out. */
export async function scanSysfs(sysfsRoot: string, readDevice: ReadDevice): Promise<Scan | string> {
  const root = path.join(sysfsRoot, 'bus/usb/devices');
  // Before the folder is read: a device is in the folder before the kernel numbers its `add`, and out of it before `remove`.
  const seqnum = readUeventSeqnum(sysfsRoot);
  let entries: string[];
  try {
    entries = readdirSync(root);
  } catch (cause) {
    return errnoOf(cause);
  }
  const ports = entries.filter(isDevicePort).sort();
  const readings: ReturnType<ReadDevice>[] = [];
  for (const [index, port] of ports.slice(0, MAX_DEVICES).entries()) {
    if (index % DEVICES_A_TURN === DEVICES_A_TURN - 1) await nextTurn();
    const raw = readRawDevice(path.join(root, port));
    if (raw !== null) readings.push(readDevice(raw, port));
  }
  const devices: UsbDevice[] = [];
  const later: Promise<UsbDevice | null>[] = [];
  for (const reading of await Promise.all(readings)) {
    if (!reading.isGone) devices.push(reading.device);
    if (reading.later !== null) later.push(reading.later);
  }
  return { devices, later, seqnum, isCut: ports.length > MAX_DEVICES };
}

/** How many uevents the kernel has numbered by now; null where it does not say. */
export function readUeventSeqnum(sysfsRoot: string): number | null {
  try {
    const text = readFileSync(path.join(sysfsRoot, 'kernel/uevent_seqnum'), 'latin1').trim();
    return /^\d{1,15}$/.test(text) ? Number(text) : null;
  } catch (cause) {
    errnoOf(cause);
    return null;
  }
}
