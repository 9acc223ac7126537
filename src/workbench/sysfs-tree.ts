// The part of sysfs that describes the simulated bus, as files in a folder: usb.sysfsRoot of the daemon points there.
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Capture } from './capture.ts';

const devices = 'bus/usb/devices';
const seqnumFile = 'kernel/uevent_seqnum';

/** An empty bus. The sequence number stays: within one boot the daemon takes a smaller one for something it has seen. */
export function emptyTree(root: string): void {
  for (const part of ['bus', 'devices']) rmSync(path.join(root, part), { recursive: true, force: true });
  mkdirSync(path.join(root, devices), { recursive: true });
  mkdirSync(path.join(root, 'kernel'), { recursive: true });
}

export function readSeqnum(root: string): number {
  const file = path.join(root, seqnumFile);
  const value = existsSync(file) ? Number(readFileSync(file, 'utf8')) : Number.NaN;
  return Number.isSafeInteger(value) && value > 0 ? value : 1_000;
}

export function writeSeqnum(root: string, seqnum: number): void {
  writeFileSync(path.join(root, seqnumFile), `${seqnum}\n`);
}

export function plugIntoTree(root: string, capture: Capture, address: number): void {
  const folder = path.join(root, capture.devpath);
  writeAttributes(folder, { ...capture.attributes, devnum: String(address) });
  writeFileSync(path.join(folder, 'descriptors'), Buffer.from(capture.descriptors, 'base64'));
  for (const [name, { attributes, driver }] of Object.entries(capture.interfaces)) {
    const place = path.join(folder, name);
    writeAttributes(place, attributes);
    if (driver !== null) {
      const target = path.join(root, 'bus/usb/drivers', driver);
      mkdirSync(target, { recursive: true });
      link(target, path.join(place, 'driver'));
    }
    link(place, path.join(root, devices, name));
  }
  // Last: whoever lists the bus finds the device only when it is complete.
  link(folder, path.join(root, devices, capture.port));
}

export function unplugFromTree(root: string, capture: Capture): void {
  for (const name of [capture.port, ...Object.keys(capture.interfaces)]) {
    rmSync(path.join(root, devices, name), { force: true });
  }
  rmSync(path.join(root, capture.devpath), { recursive: true, force: true });
}

function writeAttributes(folder: string, attributes: Readonly<Record<string, string>>): void {
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(attributes)) {
    const file = path.join(folder, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text.endsWith('\n') ? text : `${text}\n`);
  }
}

/** Relative, as the kernel's links are. */
function link(target: string, at: string): void {
  rmSync(at, { force: true });
  symlinkSync(path.relative(path.dirname(at), target), at);
}
