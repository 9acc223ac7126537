import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { promisify } from 'node:util';
import { UsbDevice } from '../../src/contracts/usb-device.ts';
import { schemaCheck } from '../../src/lib/schema-check.ts';
import { claimedText } from '../../src/usb/claimed-text.ts';
import { describeGoneDevice } from '../../src/usb/describe-device.ts';
import { deviceIdentity } from '../../src/usb/device-identity.ts';
import { createDeviceReader, type Reading } from '../../src/usb/read-devices.ts';
import { readRawDevice } from '../../src/usb/read-raw-device.ts';
import {
  createStringReader,
  type DeviceStrings,
  noStrings,
  type ReadStrings,
} from '../../src/usb/string-reader.ts';
import { readUsbIds } from '../../src/usb/usb-ids-source.ts';
import { createUsbNames } from '../../src/usb/usb-names.ts';
import { type FileBus, fileBus } from './file-bus.ts';

const check = schemaCheck(UsbDevice);
const names = createUsbNames(
  () =>
    Buffer.from(
      '046d  Logitech, Inc.\n\tc31c  Keyboard K120\nC 03  HID\n\t01  Boot Interface\n\t\t01  Keyboard\n',
    ),
  () => undefined,
);

async function read(
  bus: FileBus,
  port: string,
  readStrings: ReadStrings = createStringReader(),
): Promise<Reading> {
  const raw = readRawDevice(bus.folderOf(port));
  assert.ok(raw !== null);
  return createDeviceReader({ names, readStrings, limitMs: 5_000 })(raw, port);
}

test('a keyboard is described from raw attributes, descriptors and usb.ids [U4]', async (t) => {
  const bus = await fileBus(t);
  bus.insert('1-1.4', {
    set: 'boot-keyboard',
    manufacturer: 'Logitech',
    product: 'USB Keyboard',
    attributes: { speed: '1.5' },
  });
  mkdirSync(path.join(bus.folderOf('1-1.4'), 'port'));
  writeFileSync(path.join(bus.folderOf('1-1.4'), 'port/connect_type'), 'hotplug\n');
  const { device, later } = await read(bus, '1-1.4');
  assert.equal(later, null);
  assert.ok(check(device).ok);
  const { identity, ...rest } = device;
  assert.match(identity ?? '', /^[0-9a-f]{64}$/);
  const keyboard = { class: '03', subclass: '01', protocol: '01', name: 'Keyboard' };
  assert.deepEqual(rest, {
    port: '1-1.4',
    bus: 1,
    address: 2,
    hasSerial: false,
    vendorId: '046d',
    productId: 'c31c',
    revision: '4920',
    vendorName: 'Logitech, Inc.',
    productName: 'Keyboard K120',
    manufacturer: 'Logitech',
    product: 'USB Keyboard',
    usbVersion: '1.10',
    deviceClass: { class: '00', subclass: '00', protocol: '00' },
    speedMbps: 1.5,
    maxPowerMilliamps: 100,
    configurations: 1,
    interfaces: [
      { configuration: 1, number: 0, alternate: 0, ...keyboard, endpoints: 1 },
      {
        configuration: 1,
        number: 1,
        alternate: 0,
        class: '03',
        subclass: '00',
        protocol: '00',
        name: 'HID',
        endpoints: 1,
      },
    ],
    authorized: true,
    removable: 'unknown',
    connectType: 'hotplug',
    problems: [],
  });
});

test('power counts 8 mA from SuperSpeed on [U4]', async (t) => {
  const bus = await fileBus(t);
  bus.insert('2-1', { set: 'phone', attributes: { speed: '5000' } });
  assert.equal((await read(bus, '2-1')).device.maxPowerMilliamps, 2_000);
});

test('the identity is the same at another port and address [U2]', async (t) => {
  const bus = await fileBus(t);
  bus.insert('1-1', { set: 'flash-drive', product: 'Stick', serial: 'A1' });
  bus.insert('1-2.3', { set: 'flash-drive', product: 'Stick', serial: 'A1' });
  bus.insert('1-4', { set: 'flash-drive', product: 'Stick', serial: 'A2' });
  const [first, moved, other] = await Promise.all(['1-1', '1-2.3', '1-4'].map((port) => read(bus, port)));
  assert.ok(first?.device.identity);
  assert.equal(first.device.identity, moved?.device.identity);
  assert.notEqual(first.device.identity, other?.device.identity);
});

test('moving a character from one string to the next gives another identity [U2]', () => {
  const parts = { vendorId: 1, productId: 2, bcdDevice: 3, descriptors: Buffer.from([1]) };
  const strings = (manufacturer: string, product: string | null, serial: string | null) =>
    deviceIdentity({
      ...parts,
      manufacturer: Buffer.from(manufacturer),
      product: product === null ? null : Buffer.from(product),
      serial: serial === null ? null : Buffer.from(serial),
    });
  const all = [
    strings('ab', 'c', 'd'),
    strings('a', 'bc', 'd'),
    strings('ab', 'cd', ''),
    strings('ab', 'cd', null),
  ];
  assert.equal(new Set(all).size, all.length);
});

test('hostile strings are made safe and stay told apart [U4][Q3]', async (t) => {
  const bus = await fileBus(t);
  const hostile = Buffer.concat([Buffer.from('a\u001b[31m\n\u202eb'), Buffer.from([0xff, 0xfe, 0x00])]);
  bus.insert('1-1', {
    set: 'flash-drive',
    manufacturer: '\u6f22'.repeat(300),
    product: hostile,
    serial: 'x',
  });
  const { device } = await read(bus, '1-1');
  assert.ok(check(device).ok);
  assert.equal(device.product, 'a\ufffd[31m\ufffd\ufffdb\ufffd\ufffd\ufffd');
  assert.equal(device.manufacturer, '\u6f22'.repeat(255));
  assert.equal(claimedText('\u{1f600}'.repeat(200)).length, 400);
  assert.equal([...claimedText('\u{1f600}'.repeat(300))].length, 255);
});

test('malformed descriptors are data: the codes stand beside what could be read [U4][Q3]', async (t) => {
  const bus = await fileBus(t);
  bus.insert('1-1', { set: 'truncated' });
  const { device } = await read(bus, '1-1');
  assert.ok(check(device).ok);
  assert.deepEqual(device.problems, [
    'usb.descriptor-truncated',
    'usb.descriptor-endpoint-count',
    'usb.descriptor-total-length',
  ]);
  assert.equal(device.interfaces.length, 1);
  assert.notEqual(device.identity, null);
});

test('without descriptors the attributes tell what they can, and no identity is claimed [U4]', async (t) => {
  const bus = await fileBus(t);
  const attributes = {
    idVendor: '046d',
    idProduct: 'c31c',
    bcdDevice: '4920',
    version: ' 2.00',
    bDeviceClass: '09',
  };
  bus.insert('1-1', {
    set: 'empty',
    attributes: { ...attributes, bDeviceSubClass: '00', bDeviceProtocol: '02', bNumConfigurations: '1' },
  });
  rmSync(path.join(bus.folderOf('1-1'), 'descriptors'));
  const { device } = await read(bus, '1-1');
  assert.ok(check(device).ok);
  assert.equal(device.identity, null);
  assert.equal(device.productName, 'Keyboard K120');
  assert.equal(device.usbVersion, '2.00');
  assert.equal(device.configurations, 1);
  assert.deepEqual(device.problems, ['usb.descriptor-missing']);
});

test('a device whose strings are locked goes out without identity, and is completed later [U4]', async (t) => {
  const bus = await fileBus(t);
  bus.insert('1-1', { set: 'flash-drive', serial: 'S' });
  const raw = readRawDevice(bus.folderOf('1-1'));
  assert.ok(raw !== null);
  const unlocked = Promise.withResolvers<DeviceStrings>();
  const readDevice = createDeviceReader({ names, readStrings: () => unlocked.promise, limitMs: 1 });
  const { device, later } = await readDevice(raw, '1-1');
  assert.equal(device.identity, null);
  assert.deepEqual(device.problems, ['usb.device-strings-late']);
  unlocked.resolve({ ...noStrings, serial: Buffer.from('S') });
  const whole = await later;
  assert.equal(whole?.serial, 'S');
  assert.match(whole?.identity ?? '', /^[0-9a-f]{64}$/);
});

test('strings that were read from the next device at the same port are not taken [U2]', async (t) => {
  const bus = await fileBus(t);
  bus.insert('1-1', { set: 'flash-drive', serial: 'FIRST' });
  const { device, isGone } = await read(bus, '1-1', async () => {
    bus.withdraw('1-1');
    bus.insert('1-1', { set: 'flash-drive', serial: 'SECOND' });
    return { ...noStrings, serial: Buffer.from('SECOND') };
  });
  assert.equal(isGone, true);
  assert.equal(device.serial, undefined);
  assert.equal(device.identity, null);
});

test('a device at another address than the record says is not read [U2]', async (t) => {
  const bus = await fileBus(t);
  const address = bus.insert('1-1', { set: 'flash-drive' });
  assert.notEqual(readRawDevice(bus.folderOf('1-1'), address), null);
  assert.equal(readRawDevice(bus.folderOf('1-1'), address + 1), null);
  assert.equal(readRawDevice(bus.folderOf('1-7')), null);
});

test('a device that left before it could be read is told from its uevent [U4]', () => {
  const facts = { bus: 1, address: 7, product: '46d/c31c/4920', type: '9/0/1' };
  const device = describeGoneDevice(facts, '1-3', names);
  assert.ok(check(device).ok);
  assert.equal(device.vendorId, '046d');
  assert.equal(device.revision, '4920');
  assert.deepEqual(device.deviceClass, { class: '09', subclass: '00', protocol: '01' });
  assert.equal(device.identity, null);
  assert.deepEqual(device.problems, ['usb.device-gone']);
  for (const product of ['', '46d', 'x/y/z', '46d/c31c/12345', null]) {
    const hostile = describeGoneDevice({ ...facts, product, type: '999/1/a' }, '1-3', names);
    assert.ok(check(hostile).ok);
    assert.equal(hostile.vendorId, undefined);
    assert.equal(hostile.deviceClass, undefined);
  }
});

test("names come out of the distribution's usb.ids at every level [U4]", (t) => {
  let bytes: Uint8Array;
  try {
    bytes = readUsbIds();
  } catch {
    t.skip('usb.ids is not installed on this machine');
    return;
  }
  const real = createUsbNames(
    () => bytes,
    () => assert.fail('the file is there'),
  );
  assert.match(real.vendor(0x046d) ?? '', /^Logitech/);
  assert.equal(real.product(0x046d, 0xc31c), 'Keyboard K120');
  assert.equal(real.vendor(0x0000), undefined);
  assert.equal(real.product(0x046d, 0x0000), undefined);
  assert.equal(real.classOf({ class: 3, subclass: 1, protocol: 1 }), 'Keyboard');
  assert.equal(real.classOf({ class: 8, subclass: 6, protocol: 0x50 }), 'Bulk-Only');
  assert.equal(real.classOf({ class: 8, subclass: 6, protocol: 0x77 }), 'SCSI');
  assert.equal(real.classOf({ class: 0x0e, subclass: 0x77, protocol: 0 }), 'Video');
  assert.equal(real.classOf({ class: 0xff, subclass: 0xff, protocol: 0xff }), 'Vendor Specific Protocol');
});

test('without usb.ids there are no names, and that is said once [U4]', () => {
  let told = 0;
  const none = createUsbNames(
    () => {
      throw new Error('ENOENT');
    },
    () => told++,
  );
  assert.equal(none.vendor(0x046d), undefined);
  assert.equal(none.product(0x046d, 0xc31c), undefined);
  assert.equal(none.classOf({ class: 3, subclass: 1, protocol: 1 }), undefined);
  assert.equal(told, 1);
});

test('at most two string reads run at once, however many devices hold their lock [Q3]', async (t) => {
  const bus = await fileBus(t);
  const readStrings = createStringReader();
  // A FIFO without a writer blocks its reader as a locked attribute does.
  const done: string[] = [];
  const locked = ['1-1', '1-2', '1-3'].map((port) => {
    bus.insert(port, { set: 'flash-drive' });
    const fifo = path.join(bus.folderOf(port), 'serial');
    execFileSync('mkfifo', [fifo]);
    return { port, fifo, strings: readStrings(bus.folderOf(port), ['serial']).then(() => done.push(port)) };
  });
  bus.insert('1-4', { set: 'flash-drive', serial: 'free' });
  const free = readStrings(bus.folderOf('1-4'), ['serial']);
  const unlock = ({ fifo }: { readonly fifo: string }) =>
    promisify(execFile)('sh', ['-c', 'echo S >"$0"', fifo]);
  const [first, second, third] = locked;
  assert.ok(first && second && third);
  await unlock(first);
  await unlock(second);
  assert.deepEqual(await free, { ...noStrings, serial: Buffer.from('free') });
  assert.deepEqual(done.sort(), ['1-1', '1-2']);
  await unlock(third);
  await third.strings;
});
