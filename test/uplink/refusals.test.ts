// What the uplink does when the broker does not take a message, is not there, or none is configured.
import assert from 'node:assert/strict';
import test from 'node:test';
import type { Packet } from 'mqtt-packet';
import type { ReadEvents } from '../../src/contracts/buffer.ts';
import { eventStream, sampleDevice } from '../support/event-stream.ts';
import { startMosquitto } from '../support/mosquitto.ts';
import { type PeerConnection, startMqttPeer } from '../support/mqtt-peer.ts';
import { startSubscriber } from '../support/mqtt-subscriber.ts';
import { startTestUplink } from '../support/test-uplink.ts';
import { until } from '../support/until.ts';

const connack: Packet = { cmd: 'connack', reasonCode: 0, sessionPresent: false };

function eventNumber(packet: Packet): number | null {
  if (packet.cmd !== 'publish') return null;
  const { id } = JSON.parse(packet.payload.toString()) as { readonly id?: string };
  return id === undefined ? null : Number(id.split('-')[1]);
}

/** A broker that answers every publish with the code that `codeOf` gives; 0 is a plain PUBACK. */
const broker =
  (codeOf: (eventNumber: number | null) => number, seen: number[]) =>
  (packet: Packet, peer: PeerConnection) => {
    if (packet.cmd === 'connect') peer.send(connack);
    if (packet.cmd !== 'publish') return;
    const number = eventNumber(packet);
    if (number !== null) seen.push(number);
    peer.send({ cmd: 'puback', messageId: packet.messageId ?? 0, reasonCode: codeOf(number) });
  };

test('events that the broker refuses for its quota are tried again in order, none is skipped [L1]', async (t) => {
  const seen: number[] = [];
  let refusals = 3;
  const peer = await startMqttPeer(
    t,
    broker((number) => (number === 4 && refusals-- > 0 ? 151 : 0), seen),
  );
  const { drained, stream, reported, metrics, health } = startTestUplink(t, { url: peer.url, window: 3 });
  stream.appendPlugs(8);
  const why = await reported('degraded', /does not take events/);
  assert.match(why, /quota is used up \(0x97\): raise this account's quota .* nothing is lost/);
  await drained();
  await until('health is good again', () => health.at(-1)?.state === 'ok');
  assert.equal(peer.connections, 1, 'a refusal of one message is no reason to leave');
  assert.equal(metrics.total('uplink.refused', { reason: '0x97' }), 3);
  const firstRefused = seen.indexOf(4);
  const retries = seen.slice(seen.lastIndexOf(4));
  assert.deepEqual(seen.slice(0, firstRefused + 1), [1, 2, 3, 4]);
  assert.deepEqual(retries, [4, 5, 6, 7, 8]);
});

test('an event larger than the broker accepts is skipped and reported as a gap, the others arrive [L1]', async (t) => {
  const broker = await startMosquitto(t, { config: ['max_packet_size 2000'] });
  const subscriber = await startSubscriber(t, broker.url, 'autoweave/v1/+/+/+/event/#');
  const { drained, stream, said, metrics } = startTestUplink(t, { url: broker.url });
  stream.appendPlugs(2);
  stream.append('usb.source.lost', { source: 'kernel', why: 'x'.repeat(3_000) });
  stream.appendPlugs(2);
  await drained();
  await subscriber.count(/event/, 4);
  const gap = said.find(({ type }) => type === 'buffer.gap');
  assert.deepEqual(gap?.data, { reason: 'too-large', count: 1, from: '1-3', to: '1-3' });
  assert.equal(metrics.total('uplink.connects'), 1);
});

test('an event that only the PUBACK calls too large is skipped and reported too [L1]', async (t) => {
  const broker = await startMosquitto(t, { config: ['message_size_limit 2000'] });
  const subscriber = await startSubscriber(t, broker.url, 'autoweave/v1/+/+/+/event/#');
  const { drained, stream, said, metrics } = startTestUplink(t, { url: broker.url });
  stream.append('usb.source.lost', { source: 'kernel', why: 'x'.repeat(3_000) });
  stream.appendPlugs(4);
  await drained();
  await subscriber.count(/event/, 4);
  const gaps = said.filter(({ type }) => type === 'buffer.gap');
  assert.deepEqual(
    gaps.map(({ data }) => data),
    [{ reason: 'too-large', count: 1, from: '1-1', to: '1-1' }],
  );
  assert.equal(metrics.total('uplink.connects'), 1);
});

test('a gap event that is itself too large makes no further gap event [L1]', async (t) => {
  const peer = await startMqttPeer(
    t,
    broker((number) => (number === null ? 0 : 149), []),
  );
  const { drained, stream, said } = startTestUplink(t, { url: peer.url });
  stream.append('buffer.gap', { reason: 'too-large', count: 1, from: '1-1', to: '1-1' });
  await drained();
  assert.deepEqual(
    said.filter(({ type }) => type === 'buffer.gap'),
    [],
  );
});

test('documents and plugin messages larger than the broker accepts are not sent, and do not keep the events from it [L1]', async (t) => {
  const broker = await startMosquitto(t, { config: ['max_packet_size 4000'] });
  let devices = Array.from({ length: 50 }, () => sampleDevice);
  const { clock, drained, health, metrics, reported, said, stream, uplink } = startTestUplink(
    t,
    { url: broker.url },
    { inventoryDocument: () => ({ devices, lastEventId: null }) },
  );
  stream.appendPlugs(5);
  await drained();
  await reported('degraded', /inventory has \d+ bytes, and the broker takes no packet above 4000: it is not/);
  const message = { plugin: 'scale', topic: 'raw', retain: false };
  const refused = await uplink.publishPluginMessage({ ...message, payload: 'x'.repeat(4_000) });
  assert.equal(refused?.code, 'mqtt.refused');
  assert.match(refused.reason, /no packet above 4000 bytes/);
  assert.equal(await uplink.publishPluginMessage({ ...message, payload: 'x'.repeat(3_000) }), null);
  assert.equal(metrics.total('uplink.connects'), 1);
  assert.deepEqual(
    said.map(({ type }) => type),
    ['uplink.connected'],
  );
  devices = [];
  clock.advance(2_000);
  uplink.publishInventory();
  await until('all is well', () => health.at(-1)?.state === 'ok');
});

test('a document that was refused keeps the health degraded until it is taken, whatever becomes of the events [L3]', async (t) => {
  let [inventories, refusals] = [2, 1];
  const peer = await startMqttPeer(t, (packet, { send }) => {
    if (packet.cmd === 'connect') send(connack);
    if (packet.cmd !== 'publish') return;
    const isRefused = packet.topic.endsWith('/inventory')
      ? inventories-- > 0
      : eventNumber(packet) === 2 && refusals-- > 0;
    send({ cmd: 'puback', messageId: packet.messageId ?? 0, reasonCode: isRefused ? 0x97 : 0 });
  });
  const { clock, drained, health, reported, stream, uplink } = startTestUplink(t, { url: peer.url });
  stream.appendPlugs(4);
  await drained();
  await reported('degraded', /does not take events/);
  await reported('degraded', /does not take .*\/inventory: .*quota.*Events are delivered/);
  const states = health.map(({ state }) => state);
  assert.deepEqual([...new Set(states.slice(states.indexOf('degraded')))], ['degraded']);
  clock.advance(2_000);
  uplink.publishInventory();
  await until('it is refused again', () => inventories === 0);
  clock.advance(2_000);
  uplink.publishInventory();
  await until('all is well', () => health.at(-1)?.state === 'ok');
  assert.equal(inventories, -1);
});

test('a buffer that cannot be read is said, and reading is tried again [L2]', async (t) => {
  const { url } = await startMosquitto(t);
  const stream = eventStream();
  let failures = 2;
  const read: ReadEvents = async (from, count) => {
    if (failures-- > 0) throw new Error('Redis is away');
    return stream.read(from, count);
  };
  const { drained, reported } = startTestUplink(t, { url }, { stream, read });
  stream.appendPlugs(3);
  await reported('degraded', /cannot read the buffer: Redis is away/);
  await drained();
});

test('without a broker the health says so and the events stay [L1]', async (t) => {
  const { health, stream, uplink } = startTestUplink(t, { url: null });
  stream.appendPlugs(3);
  uplink.publishState();
  assert.deepEqual(health, [
    { state: 'degraded', why: 'no broker configured: events stay in the buffer; set uplink.url' },
  ]);
  assert.equal(stream.cursor.position.number, 0);
  await uplink.stop();
});

test('a broker that is not there is said with its address and a remedy, and found once it is there [L1]', async (t) => {
  const broker = await startMosquitto(t);
  await broker.stop();
  const { drained, reported, stream } = startTestUplink(t, { url: broker.url });
  stream.appendPlugs(1);
  const why = await reported('down', /cannot connect/);
  assert.match(why, new RegExp(`mqtt://127.0.0.1:${broker.port}: nothing listens there.*ECONNREFUSED`));
  await broker.restart();
  await drained();
  await reported('ok', /connected to mqtt:\/\/127\.0\.0\.1:\d+ with MQTT 5/);
});
