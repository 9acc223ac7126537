// One device folder of sysfs -> its bytes, as they are. Synchronous: none of the attributes read here takes a lock of the
// device or touches a disk, so a read costs some 10 µs. The string attributes do take the device's lock; see string-reader.ts.
import { closeSync, openSync, readSync } from 'node:fs';
import path from 'node:path';
import { errnoOf } from './errno-of.ts';
import { MAX_DESCRIPTOR_BYTES } from './parse-descriptors.ts';

export interface RawDevice {
  readonly folder: string;
  readonly bus: number;
  readonly address: number;
  /** null: the file could not be read, which is not the same as empty. */
  readonly descriptors: Buffer | null;
  /** Texts without the final line feed; absent ones are left out. */
  readonly attributes: Readonly<Partial<Record<Attribute, string>>>;
}

type Attribute =
  | 'idVendor'
  | 'idProduct'
  | 'bcdDevice'
  | 'version'
  | 'bDeviceClass'
  | 'bDeviceSubClass'
  | 'bDeviceProtocol'
  | 'bNumConfigurations'
  | 'speed'
  | 'authorized'
  | 'removable'
  | 'port/connect_type';

const always = ['speed', 'authorized', 'removable', 'port/connect_type'] as const;
/** Only where the descriptors do not tell. */
const described = [
  'idVendor',
  'idProduct',
  'bcdDevice',
  'version',
  'bDeviceClass',
  'bDeviceSubClass',
  'bDeviceProtocol',
  'bNumConfigurations',
] as const;

const DEVICE_DESCRIPTOR_BYTES = 18;
const MAX_TEXT_BYTES = 4_096;

/** null when there is no device (any more), or one at another address than `address`. */
export function readRawDevice(folder: string, address?: number): RawDevice | null {
  const found = readAddress(folder);
  if (found === null || (address !== undefined && found !== address)) return null;
  const descriptors = readBytes(path.join(folder, 'descriptors'), MAX_DESCRIPTOR_BYTES + 1);
  const isDescribed = descriptors !== null && descriptors.length >= DEVICE_DESCRIPTOR_BYTES;
  const attributes: Partial<Record<Attribute, string>> = {};
  for (const name of isDescribed ? always : [...always, ...described]) {
    const text = readText(folder, name);
    if (text !== null) attributes[name] = text;
  }
  const bus = toNumber(readText(folder, 'busnum'));
  // Read last again: between the first read and now the port may have got another device.
  if (bus === null || readAddress(folder) !== found) return null;
  return { folder, bus, address: found, descriptors, attributes };
}

/** The kernel's number of the device that is in the port now. */
export function readAddress(folder: string): number | null {
  return toNumber(readText(folder, 'devnum'));
}

/** Whether the kernel lets drivers have the device; null when it does not say. */
export function readAuthorized(folder: string): boolean | null {
  const text = readText(folder, 'authorized');
  return text === '1' ? true : text === '0' ? false : null;
}

function readText(folder: string, name: string): string | null {
  return readBytes(path.join(folder, name), MAX_TEXT_BYTES)?.toString('latin1').trim() ?? null;
}

function toNumber(text: string | null): number | null {
  return text !== null && /^\d{1,9}$/.test(text) ? Number(text) : null;
}

/** sysfs says 4,096 or 65,553 as the size of everything, so it is read to its end; null when it cannot be read. */
function readBytes(file: string, limit: number): Buffer | null {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(file, 'r');
    const chunks: Buffer[] = [];
    let total = 0;
    while (total < limit) {
      const chunk = Buffer.allocUnsafe(Math.min(limit - total, 4_096));
      const count = readSync(descriptor, chunk);
      if (count === 0) break;
      chunks.push(chunk.subarray(0, count));
      total += count;
    }
    return chunks.length === 1 ? (chunks[0] ?? null) : Buffer.concat(chunks);
  } catch (cause) {
    // Whatever the reason (ENOENT, ENODEV, EIO of a device that is leaving): there is nothing to read.
    errnoOf(cause);
    return null;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}
