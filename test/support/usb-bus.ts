// A USB bus made of files: a sysfs tree and a FIFO that carries uevents in the words of `udevadm monitor --property`.
// The daemon reads both as it reads the real ones; the kernel's behaviour itself is tested in the guest.
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import type { Cleanup } from './with-cleanup.ts';

export interface BusDevice {
  readonly port: string;
  readonly vendorId: number;
  readonly productId: number;
  readonly serial?: string;
  readonly product?: string;
}

export interface UsbBus {
  readonly sysfsRoot: string;
  readonly monitorCommand: readonly string[];
  /** Puts the device into sysfs and tells of it: the kernel's add and bind, udev's add and bind. */
  plug(device: BusDevice): void;
  unplug(port: string): void;
  /** Only changes sysfs: what happens while nobody listens. */
  plugSilently(device: BusDevice): void;
  unplugSilently(port: string): void;
  /** false: the daemon is dead, and plugs leave no record but the spool's. true: what nobody has read meanwhile is gone, as with netlink. */
  setListening(listening: boolean): void;
}

export interface UsbBusOptions {
  /** Where plugs and unplugs are noted as the udev helper does (udev/autoweave-spool). Default: nowhere. */
  readonly spoolFile?: string;
}

export function usbBus(t: Cleanup, dir: string, { spoolFile }: UsbBusOptions = {}): UsbBus {
  const sysfsRoot = path.join(dir, 'sys');
  const fifo = path.join(dir, 'uevents');
  mkdirSync(path.join(sysfsRoot, 'bus/usb/devices'), { recursive: true });
  mkdirSync(path.join(sysfsRoot, 'kernel'), { recursive: true });
  execFileSync('mkfifo', [fifo]);
  // Opened for both directions, so that neither a write nor the reader's open ever blocks or ends the stream.
  const fd = openSync(fifo, constants.O_RDWR);
  t.after(() => closeSync(fd));
  const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  let isListening = true;

  let seqnum = 1_000;
  let address = 1;
  const devpathOf = (port: string) => `/devices/pci0000:00/0000:00:04.0/usb1/${port}`;
  const tell = (
    origin: 'KERNEL' | 'UDEV',
    action: string,
    port: string,
    properties: Readonly<Record<string, string>>,
  ) => {
    if (origin === 'KERNEL') {
      seqnum += 1;
      // The kernel's file is never half written.
      const file = path.join(sysfsRoot, 'kernel/uevent_seqnum');
      writeFileSync(`${file}.new`, `${seqnum}\n`);
      renameSync(`${file}.new`, file);
    }
    // The helper runs before udev's own record is sent.
    if (origin === 'UDEV' && (action === 'add' || action === 'remove')) note(action, port, properties);
    if (!isListening) return;
    const seconds = (Number(process.hrtime.bigint()) / 1e9).toFixed(6);
    const all = {
      ACTION: action,
      DEVPATH: devpathOf(port),
      SUBSYSTEM: 'usb',
      DEVTYPE: 'usb_device',
      SEQNUM: String(seqnum),
      ...properties,
    };
    const lines = Object.entries(all).map(([key, value]) => `${key}=${value}\n`);
    writeSync(fd, `${origin}[${seconds}] ${action.padEnd(8)} ${devpathOf(port)} (usb)\n${lines.join('')}\n`);
  };
  const note = (action: string, port: string, properties: Readonly<Record<string, string>>) => {
    if (spoolFile === undefined) return;
    const uptime = (Number(process.hrtime.bigint()) / 1e9).toFixed(2);
    const { PRODUCT = '', TYPE = '', BUSNUM = '', DEVNUM = '' } = properties;
    const fields = ['uevent', bootId, uptime, seqnum, action, devpathOf(port), PRODUCT, TYPE, BUSNUM, DEVNUM];
    appendFileSync(spoolFile, `${[...fields, '', '', ''].join('\t')}\n`);
  };
  const describe = (device: BusDevice) => {
    address += 1;
    const folder = path.join(sysfsRoot, devpathOf(device.port));
    mkdirSync(folder, { recursive: true });
    const hex = (value: number) => value.toString(16).padStart(4, '0');
    const attributes: Readonly<Record<string, string | undefined>> = {
      idVendor: hex(device.vendorId),
      idProduct: hex(device.productId),
      bcdDevice: '0100',
      busnum: '1',
      devnum: String(address),
      speed: '480',
      version: ' 2.00',
      authorized: '1',
      bDeviceClass: '00',
      bDeviceSubClass: '00',
      bDeviceProtocol: '00',
      bNumConfigurations: '1',
      bMaxPower: '100mA',
      product: device.product,
      serial: device.serial,
    };
    for (const [name, value] of Object.entries(attributes)) {
      if (value !== undefined) writeFileSync(path.join(folder, name), `${value}\n`);
    }
    writeFileSync(path.join(folder, 'descriptors'), descriptors(device));
    symlinkSync(
      path.relative(path.join(sysfsRoot, 'bus/usb/devices'), folder),
      path.join(sysfsRoot, 'bus/usb/devices', device.port),
    );
    return {
      PRODUCT: `${device.vendorId.toString(16)}/${device.productId.toString(16)}/100`,
      TYPE: '0/0/0',
      BUSNUM: '001',
      DEVNUM: String(address).padStart(3, '0'),
      DEVNAME: `/dev/bus/usb/001/${String(address).padStart(3, '0')}`,
    };
  };
  const forget = (port: string) => {
    rmSync(path.join(sysfsRoot, 'bus/usb/devices', port));
    rmSync(path.join(sysfsRoot, devpathOf(port)), { recursive: true });
  };
  /** Also of what is removed: the kernel and udev repeat them. */
  const plugged = new Map<string, Readonly<Record<string, string>>>();
  return {
    sysfsRoot,
    monitorCommand: ['cat', fifo],
    plug(device) {
      const properties = describe(device);
      plugged.set(device.port, properties);
      tell('KERNEL', 'add', device.port, properties);
      tell('UDEV', 'add', device.port, properties);
      tell('KERNEL', 'bind', device.port, properties);
      tell('UDEV', 'bind', device.port, properties);
    },
    unplug(port) {
      const properties = plugged.get(port) ?? {};
      plugged.delete(port);
      forget(port);
      tell('KERNEL', 'unbind', port, properties);
      tell('UDEV', 'unbind', port, properties);
      tell('KERNEL', 'remove', port, properties);
      tell('UDEV', 'remove', port, properties);
    },
    plugSilently: (device) => void plugged.set(device.port, describe(device)),
    unplugSilently: forget,
    setListening(listening) {
      if (listening && !isListening) drain(fifo);
      isListening = listening;
    },
  };
}

function drain(fifo: string): void {
  const fd = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
  const bytes = Buffer.alloc(65_536);
  try {
    while (readSync(fd, bytes) > 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
  } finally {
    closeSync(fd);
  }
}

/** A device with one configuration and one HID boot keyboard interface with one endpoint (USB 2.0, chapter 9.6). */
function descriptors({ vendorId, productId }: BusDevice): Buffer {
  const word = (value: number) => [value & 0xff, value >> 8];
  return Buffer.from([
    ...[
      18,
      1,
      ...word(0x0200),
      0,
      0,
      0,
      64,
      ...word(vendorId),
      ...word(productId),
      ...word(0x0100),
      1,
      2,
      3,
      1,
    ],
    ...[9, 2, ...word(25), 1, 1, 0, 0xa0, 50],
    ...[9, 4, 0, 0, 1, 3, 1, 1, 0],
    ...[7, 5, 0x81, 3, ...word(8), 10],
  ]);
}
