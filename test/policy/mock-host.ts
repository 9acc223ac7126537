// A recorded host as umockdev wants it: root hubs and the captures of the workbench, plus devices whose strings are hostile or
// missing. The same tree is what USBGuard and `autoweave usb policy generate` look at.
import { globSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';

export interface MockDevice {
  readonly devpath: string;
  readonly attributes: Readonly<Record<string, Uint8Array>>;
}

const pci = '/devices/pci0000:00/0000:00:05.0';
const text = (value: string) => Buffer.from(`${value}\n`, 'latin1');

function rootHub(bus: number, productId: string, usb: number): MockDevice {
  const speed = usb === 3 ? [3, 9] : [1, 64];
  const [protocol = 0, packet = 0] = speed;
  const descriptors = Buffer.from([
    ...[
      18,
      1,
      0,
      usb,
      9,
      0,
      protocol,
      packet,
      0x6b,
      0x1d,
      Number.parseInt(productId, 16),
      0,
      1,
      6,
      3,
      2,
      1,
      1,
    ],
    ...[9, 2, 25, 0, 1, 1, 0, 0xe0, 0, 9, 4, 0, 0, 1, 9, 0, 0, 0, 7, 5, 0x81, 3, 4, 0, 12],
  ]);
  return device(`${pci}/usb${bus}`, {
    idVendor: text('1d6b'),
    idProduct: text(productId),
    product: text('xHCI Host Controller'),
    serial: text('0000:00:05.0'),
    authorized_default: text('1'),
    descriptors,
  });
}

function device(devpath: string, attributes: Readonly<Record<string, Uint8Array>>): MockDevice {
  return {
    devpath,
    attributes: {
      authorized: text('1'),
      remove: text('0'),
      busnum: text('1'),
      devnum: text('3'),
      uevent: text('DEVTYPE=usb_device'),
      ...attributes,
    },
  };
}

interface Capture {
  readonly devpath: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly descriptors: string;
}

function captures(): readonly MockDevice[] {
  const dir = path.join(import.meta.dirname, '../../src/workbench/captures');
  return globSync('*.json', { cwd: dir }).map((file) => {
    const { devpath, attributes, descriptors } = JSON.parse(
      readFileSync(path.join(dir, file), 'utf8'),
    ) as Capture;
    const wanted = ['idVendor', 'idProduct', 'product', 'serial'].flatMap((name) => {
      const value = attributes[name];
      return value === undefined ? [] : [[name, text(value)] as const];
    });
    return device(devpath, {
      ...Object.fromEntries(wanted),
      descriptors: Buffer.from(descriptors, 'base64'),
    });
  });
}

/** Devices of our own making beside the recorded ones: what strings and ports can be. */
function oddities(like: MockDevice): readonly MockDevice[] {
  const odd = (port: string, attributes: Readonly<Record<string, Uint8Array | null>>) => {
    const all = { ...like.attributes, ...attributes };
    const kept = Object.entries(all).filter((entry): entry is [string, Uint8Array] => entry[1] !== null);
    return { devpath: `${pci}/usb1/${port}`, attributes: Object.fromEntries(kept) };
  };
  return [
    odd('1-9', { product: null, serial: null }),
    odd('1-10', { product: text('Quo"te\\back'), serial: text('S\x01\x02\xff') }),
    odd('1-11', {
      product: Buffer.from('Größe\t\n'),
      serial: text(''),
      'port/connect_type': text('hotplug'),
    }),
    odd('1-12', { serial: text('same'), 'port/connect_type': text('hardwired') }),
    odd('1-13', { serial: text('same'), 'port/connect_type': text('not used') }),
    odd('1-14', { product: text('x'.repeat(253)), serial: null }),
    // Refused by USBGuard: a string that is too long, descriptors that are cut, a second device descriptor.
    odd('1-15', { product: text('x'.repeat(254)) }),
    odd('1-16', { descriptors: (like.attributes.descriptors ?? Buffer.alloc(0)).subarray(0, -1) }),
    odd('1-17', {
      descriptors: Buffer.concat([like.attributes.descriptors ?? Buffer.alloc(0), rootDescriptor()]),
    }),
  ];
}

function rootDescriptor(): Uint8Array {
  return (rootHub(1, '0002', 2).attributes.descriptors ?? Buffer.alloc(0)).subarray(0, 18);
}

export function mockHost(): readonly MockDevice[] {
  const recorded = captures();
  const keyboard = recorded.find(({ devpath }) => devpath.endsWith('/1-1'));
  if (keyboard === undefined) throw new Error('src/workbench/captures has no device at port 1-1');
  const controller: MockDevice = { devpath: pci, attributes: { uevent: text('DRIVER=xhci_hcd') } };
  return [controller, rootHub(1, '0002', 2), rootHub(2, '0003', 3), ...recorded, ...oddities(keyboard)];
}

/** The description that `umockdev-run -d` takes. */
export function umockdevDescription(devices: readonly MockDevice[]): string {
  return devices
    .map(({ devpath, attributes }) => {
      const isUsb = devpath !== pci;
      const lines = [
        `P: ${devpath}`,
        ...(isUsb
          ? ['E: DEVTYPE=usb_device', 'E: SUBSYSTEM=usb']
          : ['E: SUBSYSTEM=pci', 'E: DRIVER=xhci_hcd']),
        ...Object.entries(attributes)
          .filter(([name]) => name !== 'uevent')
          .map(([name, bytes]) => `H: ${name}=${Buffer.from(bytes).toString('hex').toUpperCase()}`),
      ];
      return `${lines.join('\n')}\n`;
    })
    .join('\n');
}

/** The same tree as files, for readers that are given a root of their own. */
export function writeSysfs(root: string, devices: readonly MockDevice[]): void {
  const listed = path.join(root, 'bus/usb/devices');
  mkdirSync(listed, { recursive: true });
  for (const { devpath, attributes } of devices) {
    const folder = path.join(root, devpath);
    for (const [name, bytes] of Object.entries(attributes)) {
      mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
      writeFileSync(path.join(folder, name), bytes);
    }
    if (devpath !== pci)
      symlinkSync(path.relative(listed, folder), path.join(listed, path.basename(devpath)));
  }
}
