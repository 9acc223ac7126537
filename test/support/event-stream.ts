// An in-memory stream of real stored events with a cursor: what the uplink needs of the buffer, as pure data.
import type { Cursor, ReadEvents } from '../../src/contracts/buffer.ts';
import {
  type CloudEvent,
  compareEventIds,
  type EventId,
  formatEventId,
  START,
  type StoredEvent,
} from '../../src/contracts/event.ts';
import type { EventData, EventType } from '../../src/contracts/event-types.ts';
import { sourceOf } from '../../src/contracts/topics.ts';
import type { UsbDevice } from '../../src/contracts/usb-device.ts';

export const appliance = { tenant: 'acme', site: 'lobby', name: 'kiosk-1' } as const;

export const sampleDevice: UsbDevice = {
  port: '1-1.4',
  bus: 1,
  address: 7,
  identity: 'ab'.repeat(32),
  hasSerial: true,
  vendorId: '046d',
  productId: 'c31c',
  revision: '6400',
  vendorName: 'Logitech, Inc.',
  productName: 'Keyboard K120',
  manufacturer: 'Logitech',
  product: 'USB Keyboard',
  usbVersion: '1.10',
  speedMbps: 1.5,
  configurations: 1,
  interfaces: [],
  problems: [],
};

/** About 700 bytes with the data of a plug. */
export function storedEvent<T extends EventType>(id: EventId, type: T, data: EventData<T>): StoredEvent {
  const event: CloudEvent = {
    specversion: '1.0',
    id: formatEventId(id),
    source: sourceOf(appliance),
    type,
    subject: 'usb/1-1.4',
    time: '2026-01-01T00:00:01.000Z',
    datacontenttype: 'application/json',
    traceparent: `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`,
    clock: 'synced',
    bootid: '00000000-0000-4000-8000-000000000001',
    uptimems: 1_000,
    data,
  };
  return { id, type, json: JSON.stringify(event) };
}

export interface EventStream {
  readonly events: readonly StoredEvent[];
  readonly lastId: EventId;
  readonly read: ReadEvents;
  readonly cursor: Cursor;
  onAppended(listener: (lastId: EventId) => void): () => void;
  /** `usb.device.added`, numbered on. */
  appendPlugs(count: number): void;
  append<T extends EventType>(type: T, data: EventData<T>): void;
}

export function eventStream(): EventStream {
  const events: StoredEvent[] = [];
  const listeners = new Set<(lastId: EventId) => void>();
  let position = START;
  const lastId = () => events.at(-1)?.id ?? START;
  const push = <T extends EventType>(type: T, data: EventData<T>) =>
    events.push(storedEvent({ generation: 1, number: events.length + 1 }, type, data));
  const tell = () => {
    for (const listener of listeners) listener(lastId());
  };
  return {
    events,
    get lastId() {
      return lastId();
    },
    async read(from, count) {
      const first = from.generation === 0 ? 0 : from.number;
      const page = events.slice(first, first + count);
      return { events: page, position: page.at(-1)?.id ?? from };
    },
    cursor: {
      get position() {
        return position;
      },
      acknowledge(id) {
        if (compareEventIds(id, position) > 0) position = id;
      },
    },
    onAppended(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    append(type, data) {
      push(type, data);
      tell();
    },
    appendPlugs(count) {
      for (let i = 0; i < count; i++)
        push('usb.device.added', { source: 'kernel', seqnum: i, device: sampleDevice });
      tell();
    },
  };
}
