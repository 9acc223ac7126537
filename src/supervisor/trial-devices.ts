// Devices that come and go while a plugin is tried at a desk, as the drafts of their events.

import type { Instant } from '../contracts/clock.ts';
import type { EventDraft } from '../contracts/event.ts';
import type { UsbDevice } from '../contracts/usb-device.ts';

export interface TrialEvent {
  readonly type: string;
  readonly subject: string;
  readonly data: Readonly<Record<string, unknown>>;
}

const devices: readonly UsbDevice[] = [
  device('1-1', '046d', 'c31c', 'Logitech', 'USB Keyboard', '03 01 01'),
  device('1-2', '0781', '5581', 'SanDisk', 'Ultra', '08 06 50'),
  device('1-3', '0403', '6001', 'FTDI', 'FT232R USB UART', 'ff ff ff'),
];

/** One round: each device is added, ready and removed. */
export const trialEvents: readonly TrialEvent[] = devices.flatMap((each) => {
  const subject = `usb/${each.port}`;
  const change = { source: 'kernel', seqnum: null };
  const readiness = { drivers: [], links: [] };
  return [
    { type: 'usb.device.added', subject, data: { ...change, device: each } },
    { type: 'usb.device.ready', subject, data: { ...change, source: 'udev', device: each, readiness } },
    { type: 'usb.device.removed', subject, data: { ...change, port: each.port, device: each } },
  ];
});

export function toDraft(event: TrialEvent, observed: Instant, traceparent: string): EventDraft {
  return { ...event, observed, traceparent };
}

function device(
  port: string,
  vendorId: string,
  productId: string,
  manufacturer: string,
  product: string,
  /** Class, subclass and protocol of its only interface. */
  triple: string,
): UsbDevice {
  const [interfaceClass = '', subclass = '', protocol = ''] = triple.split(' ');
  const kind = { class: interfaceClass, subclass, protocol };
  return {
    ...{ port, bus: 1, address: Number(port.slice(2)) + 1, identity: `${vendorId}${productId}`.repeat(8) },
    ...{ hasSerial: false, vendorId, productId, revision: '0100', manufacturer, product },
    configurations: 1,
    problems: [],
    deviceClass: { class: '00', subclass: '00', protocol: '00' },
    interfaces: [{ configuration: 1, number: 0, alternate: 0, ...kind, endpoints: 1 }],
  };
}
