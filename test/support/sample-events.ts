// One event of every type; the compiler asks for a new one when a type is added.
import type { EventData, EventType } from '../../src/contracts/event-types.ts';
import { sampleDevice } from './event-stream.ts';

const change = { source: 'kernel', seqnum: 4_711 } as const;

export const sampleEvents: { readonly [T in EventType]: EventData<T> } = {
  'usb.device.added': { ...change, device: sampleDevice },
  'usb.device.ready': {
    ...change,
    source: 'udev',
    device: sampleDevice,
    readiness: { node: '/dev/bus/usb/001/007', drivers: ['usbhid'], links: [] },
  },
  'usb.device.changed': {
    ...change,
    folded: 2,
    device: sampleDevice,
    was: { ...sampleDevice, authorized: false },
  },
  'usb.device.removed': { ...change, reconciled: true, port: '1-1.4', device: null },
  'usb.device.reconciled': {
    reason: 'start',
    certainty: 'complete',
    present: 3,
    added: 1,
    removed: 0,
    changed: 0,
    blindSinceUptimeMs: null,
  },
  'usb.suppressed': { port: null, added: 10, removed: 9, other: 0, fromUptimeMs: 1, toUptimeMs: 2.5 },
  'usb.source.lost': { source: 'udev', why: 'exited' },
  'usb.source.restored': { source: 'udev', why: 'started again' },
  'buffer.gap': { reason: 'damaged-entry', count: 1, from: '1-3', to: '1-3' },
  'buffer.generation': { why: 'lost', previousGeneration: 1, previousNumber: 0, publishedNumber: 12 },
  'buffer.spilled': { state: 'begun', events: 0, why: 'memory bound' },
  'buffer.cursor-expired': { consumer: 'plugin:x', why: 'removed', count: 2, acknowledged: '1-3', to: '1-5' },
  'uplink.connected': { protocolVersion: 5, receiveMaximum: 20, sessionPresent: false },
  'uplink.lost': { why: 'closed', connectedSeconds: 1.5 },
  'system.started': { version: '0.1.0', node: 'v24.0.0', unclean: false },
  'system.stopping': { why: 'SIGTERM' },
  'system.clock-synchronized': { offsetMs: 1_700_000_000_000 },
};
