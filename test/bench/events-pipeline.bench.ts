// USB changes per second through the event maker and the seal, beside JSON.stringify alone of the same envelopes.
import { randomBytes } from 'node:crypto';
import type { Counter } from '../../src/contracts/metrics.ts';
import type { UsbChange } from '../../src/contracts/usb-change.ts';
import type { UsbDevice, UsbInterface } from '../../src/contracts/usb-device.ts';
import { createEventMaker, type Made } from '../../src/events/event-maker.ts';
import { sealEvent } from '../../src/events/seal-event.ts';
import { makeTraceparent } from '../../src/events/traceparent.ts';
import { type BenchRow, benchRow } from './bench-row.ts';

const CHANGES = 100_000;
const PORTS = 64;
const BOOT = '00000000-0000-4000-8000-000000000001';
const SEALING = { source: 'urn:autoweave:tenant:site:name', bootId: BOOT, simulated: false };

export async function* bench(): AsyncIterable<BenchRow> {
  for (const debounceMs of [0, 50]) {
    const changes = plugCycles();
    run(changes.slice(0, 20_000), debounceMs);
    const sealed = run(changes, debounceMs);
    const events = sealed.texts.map((text): unknown => JSON.parse(text));
    const started = performance.now();
    let length = 0;
    for (const event of events) length += JSON.stringify(event).length;
    const limit = events.length / ((performance.now() - started) / 1_000);
    if (length === 0 || events.length !== CHANGES)
      throw new Error(`events-pipeline: ${events.length} events of ${CHANGES} changes`);
    yield benchRow(`USB changes -> sealed events, debounce ${debounceMs} ms`, sealed.perSecond, limit, '/s');
  }
}

function run(changes: readonly UsbChange[], debounceMs: number) {
  const counter: Counter<string> = { add: () => undefined };
  const maker = createEventMaker({
    limits: { debounceMs, portEventsPerSecond: 1e9, portBurst: 1e9, eventsPerSecond: 1e9, burst: 1e9 },
    bootId: BOOT,
    known: null,
    metrics: { made: counter, deduplicated: counter, folded: counter },
    traceparent: () => makeTraceparent(randomBytes),
  });
  const texts: string[] = [];
  const seal = ({ drafts }: Made) => {
    for (const draft of drafts)
      texts.push(sealEvent(draft, { generation: 1, number: texts.length + 1 }, SEALING));
  };
  const started = performance.now();
  for (const change of changes) {
    const next = maker.nextDueMs();
    if (next !== null && next <= change.observed.uptimeMs) seal(maker.due(change.observed.uptimeMs));
    seal(maker.take(change));
  }
  seal(maker.due(Number.MAX_SAFE_INTEGER));
  return { texts, perSecond: changes.length / ((performance.now() - started) / 1_000) };
}

/** 1,000 changes a second of uptime over 64 ports: each port is quiet for 64 ms between two of its own. */
function plugCycles(): readonly UsbChange[] {
  return Array.from({ length: CHANGES }, (_, index) => {
    const [round, port] = [Math.floor(index / PORTS), `1-${1 + (index % PORTS)}`];
    const common = {
      source: 'kernel',
      observed: { uptimeMs: index, wallMs: 1.77e12 + index, synced: true },
      port,
      seqnum: index + 1,
    } as const;
    const address = 1 + (Math.floor(round / 2) % 127);
    return round % 2 === 0
      ? { ...common, kind: 'attached', device: keyboard(port, address) }
      : { ...common, kind: 'detached', address };
  });
}

function keyboard(port: string, address: number): UsbDevice {
  const hid = { configuration: 1, alternate: 0, class: '03', subclass: '01', endpoints: 1 } as const;
  const interfaces: readonly UsbInterface[] = [
    { ...hid, number: 0, protocol: '01', name: 'Keyboard' },
    { ...hid, number: 1, protocol: '02', name: 'Mouse' },
  ];
  return {
    port,
    bus: 1,
    address,
    identity: 'ab'.repeat(32),
    hasSerial: true,
    vendorId: '046d',
    productId: 'c31c',
    revision: '6402',
    vendorName: 'Logitech, Inc.',
    productName: 'Keyboard K120',
    manufacturer: 'Logitech',
    product: 'USB Keyboard',
    serial: 'A1B2C3D4',
    usbVersion: '1.10',
    speedMbps: 1.5,
    maxPowerMilliamps: 90,
    configurations: 1,
    interfaces: [...interfaces],
    authorized: true,
    removable: 'removable',
    problems: [],
  };
}
