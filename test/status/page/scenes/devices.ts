// What is plugged in: hubs, a blocked stick, a device that nobody judged, one whose name is too long.
import type { UsbDevice } from '../../../../src/contracts/usb-device.ts';
import type { UsbPortState } from '../../../../src/contracts/usb-port-state.ts';
import { portRemedies } from '../../../../src/usb/kernel-log/port-faults.ts';
import { before } from './parts.ts';

const known = (port: string, more: Partial<UsbDevice> & { readonly verdict?: object }): object => ({
  port,
  bus: Number(port.split('-')[0]),
  address: 4,
  identity: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  hasSerial: more.serial !== undefined,
  configurations: 1,
  interfaces: [],
  problems: [],
  usbVersion: '2.00',
  speedMbps: 480,
  maxPowerMilliamps: 100,
  authorized: true,
  verdict: {
    target: 'allow',
    rule: 'allow with-interface one-of { 03:*:* 07:*:* }',
    reason: 'rule of line 12',
    at: before(11_000),
  },
  ...more,
});
const face = (name: string, code: string) => [
  {
    configuration: 1,
    number: 0,
    alternate: 0,
    class: code,
    subclass: '01',
    protocol: '01',
    name,
    endpoints: 1,
  },
];
const hub = {
  deviceClass: { class: '09', subclass: '00', protocol: '02', name: 'Hub' },
  interfaces: face('Hub', '09'),
} as const;

export const devices = [
  known('1-1', {
    vendorId: '05e3',
    productId: '0610',
    manufacturer: 'Genesys Logic, Inc.',
    product: '4-port hub',
    ...hub,
  }),
  known('1-1.1', {
    vendorId: '0c2e',
    productId: '0b61',
    manufacturer: 'Honeywell',
    product: 'Xenon 1900 barcode scanner',
    serial: '15214B2217',
    speedMbps: 12,
    interfaces: face('Keyboard', '03'),
  }),
  known('1-1.2', {
    vendorId: '04b8',
    productId: '0e28',
    manufacturer: 'EPSON',
    product: 'TM-T20III',
    serial: 'X7QK012345',
    interfaces: face('Printer', '07'),
  }),
  known('1-1.4', {
    vendorId: '0781',
    productId: '5581',
    manufacturer: 'SanDisk',
    product: 'Ultra',
    serial: '4C530001',
    interfaces: face('Mass Storage', '08'),
    authorized: false,
    verdict: {
      target: 'block',
      rule: 'block with-interface one-of { 08:*:* }',
      reason: 'mass storage is not let in here',
      at: before(340),
    },
  }),
  known('1-2', {
    vendorId: '1a86',
    productId: '7523',
    vendorName: 'QinHeng Electronics',
    productName: 'CH340 serial converter',
    interfaces: face('Vendor Specific Class', 'ff'),
    speedMbps: 12,
  }),
  known('1-4', {
    vendorId: '046d',
    productId: 'c52b',
    manufacturer: 'Logitech',
    product: 'USB Receiver',
    speedMbps: 12,
    interfaces: face('Mouse', '03'),
    verdict: { target: null, rule: null, reason: null, at: null },
  }),
  known('2-1', {
    vendorId: '2109',
    productId: '0817',
    manufacturer: 'VIA Labs, Inc.',
    product: 'USB3.0 Hub',
    speedMbps: 5_000,
    usbVersion: '3.20',
    ...hub,
  }),
  known('2-1.1', {
    vendorId: '0bda',
    productId: '8153',
    manufacturer: 'Realtek',
    product: 'USB 10/100/1000 LAN',
    serial: '001000001',
    speedMbps: 5_000,
    usbVersion: '3.00',
    interfaces: face('Ethernet Networking', '02'),
  }),
  known('2-1.3.2', {
    vendorId: 'feed',
    productId: '6061',
    product: 'Device with a very long name that it gave itself, which does not fit on a telephone at all',
    speedMbps: 1.5,
    identity: null,
    problems: ['usb.truncated-descriptor', 'usb.too-many-interfaces'],
    interfaces: face('Keyboard', '03'),
    verdict: {
      target: 'reject',
      rule: null,
      reason: 'keyboard and disk at once, typing like a machine (score 9)',
      at: before(60),
    },
  }),
];

/** One that is on its way, and one that never arrives. */
export const ports: readonly UsbPortState[] = [
  { port: '1-6', state: 'enumerating', speedMbps: 12, at: before(1) },
  {
    port: '1-7',
    state: 'failed',
    code: 'usb.port-no-answer',
    why: 'device descriptor read/64, error -71; unable to enumerate USB device',
    remedy: portRemedies['usb.port-no-answer'],
    times: 1,
    at: before(95),
  },
];
