// The shipped file from end to end: uevents in, Redis in between, a real broker out.
import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import type { CloudEvent } from '../../src/contracts/event.ts';
import { CloudEvent as CloudEventSchema } from '../../src/contracts/event.ts';
import { type EventType, eventTypes } from '../../src/contracts/event-types.ts';
import type { UsbDevice } from '../../src/contracts/usb-device.ts';
import { schemaCheck } from '../../src/lib/schema-check.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { startMosquitto } from '../support/mosquitto.ts';
import { type Subscriber, startSubscriber } from '../support/mqtt-subscriber.ts';
import { startRedis } from '../support/redis.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import { usbBus } from '../support/usb-bus.ts';

const keyboard = { port: '1-1', vendorId: 0x046d, productId: 0xc31c, serial: 'K1', product: 'Keyboard' };
const scanner = { port: '1-2', vendorId: 0x05e0, productId: 0x1200, serial: 'S1', product: 'Scanner' };

test('a device plugged in and out arrives at the broker as one added, one ready and one removed, ids without a hole [U1]', async (t) => {
  const { bus, subscriber } = await appliance(t);
  bus.plug(keyboard);
  bus.unplug(keyboard.port);
  bus.plug(scanner);
  const events = await eventually(subscriber, (seen) => of(seen, 'usb.device.ready').length === 2);

  assert.deepEqual(
    of(events, 'usb.device.added', 'usb.device.removed').map(({ type, subject }) => `${type} ${subject}`),
    ['usb.device.added usb/1-1', 'usb.device.removed usb/1-1', 'usb.device.added usb/1-2'],
  );
  assertConsecutive(events);
  assertValid(events);
});

test('devices that come and go while the broker is down arrive in order, each id once, when it is back [L2]', async (t) => {
  const { bus, broker, subscriber } = await appliance(t);
  await eventually(subscriber, (seen) => of(seen, 'system.started').length === 1);
  await broker.stop();
  for (let round = 0; round < 20; round += 1) {
    bus.plug({ ...keyboard, productId: 0x1000 + round });
    bus.unplug(keyboard.port);
  }
  await broker.restart();
  const events = await eventually(subscriber, (seen) => of(seen, 'usb.device.removed').length >= 20);

  assertConsecutive(events);
  // Each is gone before it can be read from sysfs: what the uevent itself says is enough to know which it was.
  assert.deepEqual(
    of(events, 'usb.device.added').map(({ data }) => (data.device as UsbDevice).productId),
    Array.from({ length: 20 }, (_, round) => (0x1000 + round).toString(16)),
  );
});

test('what happened while the daemon was dead is told after its restart, marked as reconciled [U5]', async (t) => {
  const { bus, daemon, restart, subscriber } = await appliance(t);
  bus.plug(keyboard);
  await eventually(subscriber, (seen) => of(seen, 'usb.device.ready').length === 1);
  await daemon.stop('SIGKILL');
  bus.unplugSilently(keyboard.port);
  bus.plugSilently(scanner);
  await restart();
  const events = await eventually(subscriber, (seen) => of(seen, 'usb.device.reconciled').length === 2);

  const reconciled = of(events, 'usb.device.added', 'usb.device.removed').filter(
    ({ data }) => data.reconciled === true,
  );
  assert.deepEqual(reconciled.map(({ type, subject }) => `${type} ${subject}`).sort(), [
    'usb.device.added usb/1-2',
    'usb.device.removed usb/1-1',
  ]);
  assert.deepEqual(
    of(events, 'system.started').map(({ data }) => data.unclean),
    [false, true],
  );
  assertConsecutive(events);
});

test('a device plugged while Redis is down is delivered once Redis is back [B4]', async (t) => {
  const { bus, redis, subscriber } = await appliance(t);
  await eventually(subscriber, (seen) => of(seen, 'system.started').length === 1);
  await redis.stop();
  bus.plug(keyboard);
  await redis.start();
  const events = await eventually(subscriber, (seen) => of(seen, 'usb.device.ready').length === 1);
  assert.equal(of(events, 'usb.device.added').length, 1);
  assertConsecutive(events);
});

test('a stop on SIGTERM says goodbye at the broker, ends with 0 and takes less than 3 seconds [Q2]', async (t) => {
  const { daemon, subscriber } = await appliance(t);
  const began = performance.now();
  assert.equal(await daemon.stop('SIGTERM'), 0);
  const tookMs = performance.now() - began;
  assert.ok(tookMs < 3_000, `took ${tookMs} ms`);
  const state = await until('the retained state says stopped', () =>
    subscriber.messages
      .filter(({ topic }) => topic.endsWith('/state'))
      .map(({ payload }) => JSON.parse(payload) as { online: boolean; reason?: string })
      .find(({ online }) => !online),
  );
  assert.equal(state.reason, 'stopped');
});

test('the daemon watches and says what is wrong while Redis and broker are missing [U1]', async (t) => {
  const dir = await tempDir(t);
  const bus = usbBus(t, dir);
  const daemon = await startDaemon(t, {
    dir,
    redisSocket: `${dir}/nobody.sock`,
    brokerUrl: 'mqtt://127.0.0.1:1',
    config: { usb: { sysfsRoot: bus.sysfsRoot, monitorCommand: bus.monitorCommand } },
  });
  bus.plug(keyboard);
  await until('the device is on the list', async () => {
    const { devices } = (await (await fetch(`${daemon.url}/api/v1/devices`)).json()) as {
      devices: { port: string }[];
    };
    return devices.some(({ port }) => port === keyboard.port);
  });
  const { parts } = (await (await fetch(`${daemon.url}/health`)).json()) as {
    parts: Record<string, { state: string; why: string }>;
  };
  assert.equal(parts.buffer?.state, 'down');
  assert.equal(parts.uplink?.state, 'down');
  assert.equal(parts['usb-monitor']?.state, 'ok');
  assert.equal((await fetch(`${daemon.url}/ready`)).status, 503);
  assert.equal(await daemon.stop(), 0);
});

async function appliance(t: TestContext) {
  const dir = await tempDir(t);
  const bus = usbBus(t, dir);
  const redis = await startRedis(t);
  // The broker keeps the subscriber's session over its restart, so that the subscriber itself misses nothing.
  const broker = await startMosquitto(t, {
    config: ['persistence true', `persistence_location ${dir}/`, 'max_queued_messages 0'],
  });
  const subscriber = await startSubscriber(t, broker.url, 'autoweave/v1/acme/lab/kiosk/#', {
    clientId: 'central',
    clean: false,
    properties: { sessionExpiryInterval: 3_600 },
  });
  const options = {
    dir,
    redisSocket: redis.socket,
    brokerUrl: broker.url,
    config: { usb: { sysfsRoot: bus.sysfsRoot, monitorCommand: bus.monitorCommand } },
  };
  const daemon: Daemon = await startDaemon(t, options);
  return { bus, redis, broker, subscriber, daemon, restart: () => startDaemon(t, options) };
}

/** All events so far, each id once, once `enough` holds. */
function eventually(
  subscriber: Subscriber,
  enough: (events: readonly CloudEvent[]) => boolean,
): Promise<readonly CloudEvent[]> {
  return until('the expected events', () => {
    const byId = new Map<string, CloudEvent>();
    for (const { topic, payload } of subscriber.messages) {
      if (!topic.includes('/event/')) continue;
      const event = JSON.parse(payload) as CloudEvent;
      if (!byId.has(event.id)) byId.set(event.id, event);
    }
    const events = [...byId.values()];
    return enough(events) && events;
  });
}

function of(events: readonly CloudEvent[], ...types: readonly EventType[]): readonly CloudEvent[] {
  return events.filter(({ type }) => types.includes(type as EventType));
}

function assertConsecutive(events: readonly CloudEvent[]): void {
  assert.deepEqual(
    events.map(({ id }) => id),
    events.map((_, index) => `${events[0]?.id.split('-')[0]}-${index + 1}`),
  );
}

function assertValid(events: readonly CloudEvent[]): void {
  const envelope = schemaCheck(CloudEventSchema);
  for (const event of events) {
    assert.deepEqual(envelope(event), { ok: true, value: event });
    assert.deepEqual(schemaCheck(eventTypes[event.type as EventType])(event.data), {
      ok: true,
      value: event.data,
    });
  }
}
