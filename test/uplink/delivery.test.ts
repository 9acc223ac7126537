// Delivery against a real mosquitto, through a relay that reads along and cuts.
import assert from 'node:assert/strict';
import test from 'node:test';
import { formatEventId } from '../../src/contracts/event.ts';
import { eventStream } from '../support/event-stream.ts';
import { startMosquitto } from '../support/mosquitto.ts';
import { startSubscriber } from '../support/mqtt-subscriber.ts';
import { type MqttTap, startMqttTap } from '../support/mqtt-tap.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { startTestUplink } from '../support/test-uplink.ts';
import { until } from '../support/until.ts';

const ids = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => formatEventId({ generation: 1, number: from + i }));

/** Event ids of each connection must go up by one from where the cursor stood; all together must be gap-free. */
function assertInOrderAndComplete(tap: MqttTap, last: number): void {
  const events = tap.published.filter(({ eventId }) => eventId !== null);
  const acked = new Set(events.filter(({ acked }) => acked).map(({ eventId }) => eventId));
  assert.deepEqual(
    ids(1, last).filter((id) => !acked.has(id)),
    [],
    'events without any PUBACK',
  );
  const numberOf = (eventId: string | null) => Number(eventId?.split('-')[1]);
  for (let i = 1; i < events.length; i++) {
    const [before, now] = [events[i - 1], events[i]];
    if (before === undefined || now === undefined || before.connection !== now.connection) continue;
    assert.equal(numberOf(now.eventId), numberOf(before.eventId) + 1, `after ${before.eventId}`);
  }
}

test('the events of the buffer arrive in order, each once, with birth and inventory before them [L2][L3]', async (t) => {
  const broker = await startMosquitto(t);
  const subscriber = await startSubscriber(t, broker.url);
  const { drained, stream, said, metrics, allowed } = startTestUplink(t, { url: broker.url });
  stream.appendPlugs(1_000);
  await drained();
  stream.appendPlugs(5);
  await drained();
  await subscriber.count(/\/event\//, 1_005);
  const { messages } = subscriber;
  assert.deepEqual(
    messages.slice(0, 2).map(({ topic }) => topic),
    ['autoweave/v1/acme/lobby/kiosk-1/state', 'autoweave/v1/acme/lobby/kiosk-1/inventory'],
  );
  const events = messages.slice(2);
  assert.deepEqual(
    events.map(({ payload }) => payload),
    stream.events.map(({ json }) => json),
  );
  assert.ok(events.every(({ topic }) => topic === 'autoweave/v1/acme/lobby/kiosk-1/event/usb.device.added'));
  assert.ok(events.every(({ properties }) => properties.contentType === 'application/cloudevents+json'));
  assert.deepEqual(
    said.map(({ type }) => type),
    ['uplink.connected'],
  );
  assert.equal(metrics.total('uplink.published'), 1_005);
  assert.equal(metrics.total('uplink.resent'), 0);
  assert.equal(allowed.at(-1)?.number, 1_005);
});

test('no more events are in flight than the broker announced, nor than the window [L1]', async (t) => {
  const broker = await startMosquitto(t, { config: ['max_inflight_messages 5'] });
  const tap = await startMqttTap(t, broker.port);
  const wide = startTestUplink(t, { url: tap.url, window: 100 });
  wide.stream.appendPlugs(500);
  await wide.drained();
  assert.equal(tap.mostInFlight, 5);

  const narrowTap = await startMqttTap(t, broker.port);
  const narrow = startTestUplink(t, { url: narrowTap.url, window: 3 });
  narrow.stream.appendPlugs(500);
  await narrow.drained();
  assert.equal(narrowTap.mostInFlight, 3);
});

test('a broker that takes one message at a time gets birth, inventory and events one by one [L1]', async (t) => {
  const broker = await startMosquitto(t, { config: ['max_inflight_messages 1'] });
  const tap = await startMqttTap(t, broker.port);
  const { drained, stream } = startTestUplink(t, { url: tap.url });
  stream.appendPlugs(50);
  await drained();
  assert.equal(tap.mostInFlight, 1);
  assert.deepEqual(
    tap.published.slice(0, 3).map(({ topic, eventId }) => eventId ?? topic.split('/').at(-1)),
    ['state', 'inventory', '1-1'],
  );
});

test('nothing is published before mayPublish has allowed it [B1]', async (t) => {
  const broker = await startMosquitto(t);
  const tap = await startMqttTap(t, broker.port);
  const gate = Promise.withResolvers<void>();
  const asked: number[] = [];
  const { drained, stream } = startTestUplink(
    t,
    { url: tap.url },
    {
      mayPublish: async (id) => {
        asked.push(id.number);
        await gate.promise;
      },
    },
  );
  stream.appendPlugs(10);
  await until(
    'birth and inventory are out, and events wait',
    () => tap.published.length === 2 && asked.length > 0,
  );
  assert.deepEqual(asked, [10]);
  assert.ok(tap.published.every(({ eventId }) => eventId === null));
  gate.resolve();
  await drained();
});

test('a broker killed mid-drain and started again gets everything, in order, without a gap [L2]', async (t) => {
  const broker = await startMosquitto(t);
  const tap = await startMqttTap(t, broker.port);
  const { drained, stream, said, reported } = startTestUplink(t, { url: tap.url, window: 20 });
  stream.appendPlugs(10_000);
  await until('the drain is on its way', () => stream.cursor.position.number > 1_000);
  await broker.stop('SIGKILL');
  await reported('down', /lost/);
  const atKill = stream.cursor.position.number;
  assert.ok(atKill < 10_000, `the broker was killed too late, at ${atKill}`);
  await broker.restart();
  await drained();
  assertInOrderAndComplete(tap, 10_000);
  assert.deepEqual(
    said.map(({ type }) => type),
    ['uplink.connected', 'uplink.lost', 'uplink.connected'],
  );
});

test('a connection cut 20 times at random bytes delivers everything, in order, without a gap [L2]', async (t) => {
  const broker = await startMosquitto(t);
  const tap = await startMqttTap(t, broker.port);
  const random = seededRandom(20);
  const { drained, stream, said, metrics } = startTestUplink(t, { url: tap.url, window: 50 });
  const lost = () => said.filter(({ type }) => type === 'uplink.lost').length;
  for (let cut = 1; cut <= 20; cut++) {
    await until(`connection ${cut}`, () => said.length === 2 * cut - 1);
    tap.cutAfter(1 + random.integer(200_000));
    stream.appendPlugs(500);
    const isDrained = () => stream.cursor.position.number === stream.lastId.number;
    await until(`cut ${cut}`, () => lost() === cut || isDrained());
    if (lost() < cut) tap.cut();
  }
  await drained();
  assertInOrderAndComplete(tap, 10_000);
  assert.equal(lost(), 20);
  assert.ok(metrics.total('uplink.resent') > 0, 'no cut hit an event in flight');
});

test('events whose PUBACK was lost are sent again from the cursor [L1]', async (t) => {
  const broker = await startMosquitto(t);
  const tap = await startMqttTap(t, broker.port);
  const { drained, stream, metrics } = startTestUplink(t, { url: tap.url, window: 10 });
  await until(
    'birth and inventory are acknowledged',
    () => tap.published.filter(({ acked }) => acked).length === 2,
  );
  tap.holdAnswers(true);
  stream.appendPlugs(25);
  await until('the window is full', () => tap.published.length === 12);
  assert.equal(stream.cursor.position.number, 0);
  tap.cut();
  tap.holdAnswers(false);
  await drained();
  const sent = tap.published.flatMap(({ eventId }) => eventId ?? []);
  assert.deepEqual(sent, [...ids(1, 10), ...ids(1, 25)]);
  assert.equal(metrics.total('uplink.resent'), 10);
});

test('a broker that stops acknowledging is left, and everything arrives over the next connection [L1]', async (t) => {
  const broker = await startMosquitto(t);
  const tap = await startMqttTap(t, broker.port);
  const { drained, stream, reported } = startTestUplink(
    t,
    { url: tap.url, window: 10 },
    { ackTimeoutMs: 200 },
  );
  await until(
    'birth and inventory are acknowledged',
    () => tap.published.filter(({ acked }) => acked).length === 2,
  );
  tap.holdAnswers(true);
  stream.appendPlugs(5);
  await reported('down', /did not acknowledge an event within 200 ms/);
  tap.holdAnswers(false);
  await drained();
  assertInOrderAndComplete(tap, 5);
});

test('damaged entries that the buffer leaves out do not hold the cursor [B1]', async (t) => {
  const broker = await startMosquitto(t);
  const subscriber = await startSubscriber(t, broker.url, 'autoweave/v1/+/+/+/event/#');
  const stream = eventStream();
  stream.appendPlugs(1_000);
  const isDamaged = (number: number) => number === 5 || number > 700;
  const { drained } = startTestUplink(
    t,
    { url: broker.url },
    {
      stream,
      read: async (from, count) => {
        const page = await stream.read(from, count);
        return { ...page, events: page.events.filter(({ id }) => !isDamaged(id.number)) };
      },
    },
  );
  await drained();
  await subscriber.count(/event/, 699);
  assert.equal(subscriber.messages.length, 699);
});

test('the drain keeps to its rate limit and says so, and slow events are not held up [L2]', async (t) => {
  const broker = await startMosquitto(t);
  const limit = { url: broker.url, drainEventsPerSecond: 100 };
  const { clock, drained, health, reported, stream } = startTestUplink(t, limit, { random: () => 1 });
  stream.appendPlugs(250);
  await until('the first second is used up', () => stream.cursor.position.number === 100);
  await reported('ok', /catching up with at most 100 events\/s, as uplink\.drainEventsPerSecond says/);
  clock.advance(500);
  await until('half a second more', () => stream.cursor.position.number === 150);
  clock.advance(1_000);
  await drained();
  await until('the health follows', () => health.at(-1)?.why.endsWith('; caught up'));
  clock.advance(1_000);
  stream.appendPlugs(1);
  await drained();
});

test('appliances that come back together begin their drain at different places of a second [L2]', async (t) => {
  const broker = await startMosquitto(t);
  for (const [share, first] of [
    [0, 0],
    [0.25, 25],
    [0.9, 90],
  ] as const) {
    const { clock, drained, reported, stream, uplink } = startTestUplink(
      t,
      { url: broker.url, drainEventsPerSecond: 100 },
      { random: () => share },
    );
    stream.appendPlugs(110);
    await reported('ok', /catching up/);
    await until('its share is used up', () => stream.cursor.position.number === first);
    clock.advance(1_000);
    await until('a second later', () => stream.cursor.position.number === Math.min(110, first + 100));
    clock.advance(1_000);
    await drained();
    await uplink.stop();
  }
});
