// The newest events, and the log.
import { devices } from './devices.ts';
import { before } from './parts.ts';

let number = 48_300;
const event = (seconds: number, type: string, subject: string, data: object) => {
  number -= 1;
  return {
    specversion: '1.0',
    id: `29920463-${number}`,
    source: 'urn:autoweave:acme:plant-4:edge-17',
    type,
    subject,
    time: before(seconds),
    clock: 'synced',
    data,
  };
};
const scanner = devices[1];
const stick = devices[3];
export const events = [
  event(3, 'usb.device.ready', 'usb/1-1.1', { source: 'udev', device: scanner }),
  event(3, 'usb.device.added', 'usb/1-1.1', { source: 'kernel', device: scanner }),
  event(11, 'plugin.serial-scale.reading', 'plugin/serial-scale', { grams: 1_204, stable: true }),
  event(60, 'usb.device.suspected', 'usb/2-1.3.2', {
    port: '2-1.3.2',
    score: 9,
    device: devices[8],
    evidence: [],
  }),
  event(340, 'usb.device.blocked', 'usb/1-1.4', {
    port: '1-1.4',
    device: stick,
    verdict: { reason: 'mass storage is not let in here' },
  }),
  event(1_200, 'usb.device.removed', 'usb/1-1.1', { source: 'kernel', device: scanner }),
  event(2_400, 'uplink.connected', 'uplink', { reason: 'broker.acme.example:8883' }),
  event(2_460, 'uplink.lost', 'uplink', { reason: 'no answer for 45 s' }),
  event(7_300, 'plugin.running', 'plugin/serial-scale', {
    name: 'serial-scale',
    reason: 'runs in all its limits',
  }),
  event(90_000, 'security.violation', 'plugin/receipt-guard', {
    name: 'receipt-guard',
    reason: 'tried to open a socket',
  }),
  event(90_100, 'system.started', 'system', { reason: 'version 0.1.0' }),
];

const levels = ['info', 'info', 'warn', 'debug', 'error', 'info'];
export const lines = Array.from({ length: 40 }, (_, index) => ({
  time: before(index * 37),
  level: levels[index % levels.length],
  part: ['uplink', 'usb', 'buffer', 'plugins'][index % 4],
  from: 'plugin',
  text: [
    'connected to the broker protocolVersion=5 receiveMaximum=20',
    'a device was read port=1-1.4 ms=4',
    'the broker is away; events are kept until it is back',
    'read 256 events',
    'a request could not be answered',
    'compared with sysfs present=14',
  ][index % 6],
}));
