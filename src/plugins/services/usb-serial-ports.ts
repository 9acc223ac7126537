// sysfs -> the serial ports of USB devices: node, place and ids. Read only.
import { readdir, readFile, realpath } from 'node:fs/promises';
import path from 'node:path';

export interface UsbSerialPort {
  /** `ttyUSB0` */
  readonly name: string;
  /** Kernel port path: `1-1.4`. */
  readonly port: string;
  readonly vendorId: string;
  readonly productId: string;
}

export async function readUsbSerialPorts(sysfsRoot: string): Promise<readonly UsbSerialPort[]> {
  const folder = path.join(sysfsRoot, 'class/tty');
  const names = (await readdir(folder).catch(() => [])).filter((name) => /^tty(USB|ACM)\d+$/.test(name));
  const ports = await Promise.all(names.map((name) => portOf(folder, name)));
  return ports.filter((port) => port !== null);
}

/** null: it left while it was read. */
async function portOf(folder: string, name: string): Promise<UsbSerialPort | null> {
  try {
    const place = await realpath(path.join(folder, name));
    const parts = place.split('/');
    const at = parts.findLastIndex((part) => /^\d+-[\d.]+$/.test(part));
    const port = parts[at];
    if (port === undefined) return null;
    const device = parts.slice(0, at + 1).join('/');
    const [vendorId, productId] = await Promise.all(
      ['idVendor', 'idProduct'].map(async (file) => (await readFile(path.join(device, file), 'utf8')).trim()),
    );
    return vendorId === undefined || productId === undefined ? null : { name, port, vendorId, productId };
  } catch (cause) {
    if (['ENOENT', 'ENODEV'].includes((cause as NodeJS.ErrnoException).code ?? '')) return null;
    throw cause;
  }
}
