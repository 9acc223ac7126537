// Floods of messages from the broker: bounded work, bounded memory, and the events go on meanwhile.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { duplexPair, Writable } from 'node:stream';
import test from 'node:test';
import mqtt from 'mqtt';
import { feedPackets } from '../../src/mqtt/feed-packets.ts';
import { InboundLimit } from '../../src/mqtt/inbound-limit.ts';
import type { PublishOutcome } from '../../src/mqtt/mqtt-message.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { startMosquitto } from '../support/mosquitto.ts';
import { startMqttPeer } from '../support/mqtt-peer.ts';
import { startTestSession } from '../support/test-session.ts';
import { startTestUplink } from '../support/test-uplink.ts';
import { until } from '../support/until.ts';

for (const [protocol, qos] of [
  ['5', 0],
  ['5', 1],
  ['3.1.1', 0],
  ['3.1.1', 1],
] as const) {
  test(`a flood of QoS ${qos} over MQTT ${protocol} is handled up to the limit, and our own messages get through [L5]`, async (t) => {
    const broker = await startMosquitto(t, { config: ['max_queued_messages 0'] });
    const clock = fakeClock();
    let refused = 0;
    let handled = 0;
    let sawLast = false;
    const { connected, session } = startTestSession(
      t,
      { url: broker.url, protocol, inboundPerSecond: 10 },
      {
        clock,
        onRefused: (count) => (refused += count),
        onMessage: (topic) => {
          handled += 1;
          sawLast ||= topic === 'command/last';
        },
      },
    );
    await connected();
    assert.deepEqual(await session.subscribe('command/+'), { ok: true });
    const flooder = await mqtt.connectAsync(broker.url, { protocolVersion: 5 });
    t.after(() => flooder.endAsync(true));
    const flood = Array.from({ length: 500 }, () => flooder.publishAsync('command/flood', 'x', { qos }));
    const outcome = new Promise<PublishOutcome>((settled) => {
      session.publish({ topic: 'own', payload: '{}', qos: 1, retain: false, contentType: 'x' }, settled);
    });
    await Promise.all(flood);
    assert.deepEqual(await outcome, { kind: 'accepted' });
    await until('the burst was handled', () => handled === 40);
    assert.ok(refused >= 1, 'the first refusal is told at once');
    // The clock stands still: what comes now is still too much. Nothing marks the flood's end but a message that is handled.
    await until('a message gets through once time has passed', async () => {
      clock.advance(100);
      await flooder.publishAsync('command/last', 'x', { qos: 1 });
      return sawLast;
    });
    await until('all refusals are told', () => refused > 400);
  });
}

test('a sender whose QoS 1 message was refused hears so in MQTT 5 [L5]', async (t) => {
  const codes: number[] = [];
  const peer = await startMqttPeer(t, (packet, { send }) => {
    if (packet.cmd === 'connect') {
      send({ cmd: 'connack', reasonCode: 0, sessionPresent: false });
      for (let messageId = 1; messageId <= 6; messageId++)
        send({
          cmd: 'publish',
          topic: 'command/x',
          payload: 'x',
          qos: 1,
          messageId,
          retain: false,
          dup: false,
        });
    }
    if (packet.cmd === 'puback') codes.push(packet.reasonCode ?? 0);
  });
  let handled = 0;
  startTestSession(t, { url: peer.url, inboundPerSecond: 1 }, { onMessage: () => (handled += 1) });
  await until('six answers', () => codes.length === 6);
  assert.deepEqual(codes, [0, 0, 0, 0, 0x97, 0x97]);
  assert.equal(handled, 4);
});

test('a flood is said on the health and counted, and the drain goes on [L5]', async (t) => {
  const peer = await startMqttPeer(t, (packet, { send }) => {
    if (packet.cmd === 'connect') send({ cmd: 'connack', reasonCode: 0, sessionPresent: false });
    if (packet.cmd !== 'publish') return;
    send({ cmd: 'puback', messageId: packet.messageId ?? 0, reasonCode: 0 });
    // Three unasked messages for each of ours.
    for (let i = 0; i < 3; i++)
      send({ cmd: 'publish', topic: 'x', payload: 'y', qos: 0, retain: false, dup: false });
  });
  const { drained, metrics, reported, stream } = startTestUplink(t, { url: peer.url, inboundPerSecond: 20 });
  stream.appendPlugs(200);
  await drained();
  await reported('degraded', /sends more than 20 messages\/s \(uplink\.inboundPerSecond\): \d+ refused/);
  assert.ok(metrics.total('uplink.inboundRefused') > 0);
});

test('reading itself stops at the hard limit, so that a flood waits at the broker and not in our memory [L5]', async () => {
  const clock = fakeClock();
  const limit = new InboundLimit({ perSecond: 10, clock, onRefused: () => undefined });
  const [ours, theirs] = duplexPair();
  let read = 0;
  feedPackets(ours, {
    maximumPacketSize: 100_000,
    inspect: () => undefined,
    inbound: limit,
  }).pipe(
    new Writable({
      write(_packet, _encoding, done) {
        read += 1;
        done();
      },
    }),
  );
  const publish = Buffer.concat([Buffer.from([0x30, 103, 0, 1, 0x78]), Buffer.alloc(100)]);
  const chunk = Buffer.concat(Array.from({ length: 1_000 }, () => publish));
  for (let i = 0; i < 5; i++) theirs.write(chunk);
  await until('a second of messages was read', () => read >= 1_000);
  const isStuck = theirs.writableNeedDrain;
  assert.ok(isStuck, 'the sender is held up');
  assert.equal(read, 1_000);
  clock.advance(500);
  await until('half a second more', () => read >= 1_500);
  assert.equal(read, 1_500);
  const drained = once(theirs, 'drain');
  await until('all of it, as time passes', () => {
    clock.advance(200);
    return read === 5_000;
  });
  await drained;
});

test('a large message counts for more than one [L5]', () => {
  const clock = fakeClock();
  const limit = new InboundLimit({ perSecond: 10, clock, onRefused: () => undefined });
  let messages = 0;
  for (; limit.holdUpMs() === 0; messages++) limit.charge(1_048_576);
  assert.ok(messages <= 4, `${messages} messages of 1 MiB in a second`);
});
