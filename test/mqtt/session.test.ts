// One session against real brokers and peers: versions, refusals, losses, back-off, secrets.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import test from 'node:test';
import type { PublishOutcome } from '../../src/mqtt/mqtt-message.ts';
import { startMosquitto } from '../support/mosquitto.ts';
import { startMqttPeer } from '../support/mqtt-peer.ts';
import { startSubscriber } from '../support/mqtt-subscriber.ts';
import { tempDir } from '../support/temp-dir.ts';
import { startTestSession } from '../support/test-session.ts';
import { until } from '../support/until.ts';

test('a session says what the broker granted [L1]', async (t) => {
  const broker = await startMosquitto(t, { config: ['max_inflight_messages 7', 'max_packet_size 5000'] });
  const { connected, session } = startTestSession(t, { url: broker.url });
  assert.deepEqual(await connected(), {
    protocolVersion: 5,
    receiveMaximum: 7,
    maximumPacketSize: 5_000,
    topicAliasMaximum: 10,
    sessionPresent: false,
  });
  assert.equal(session.room, 7);
});

test('the session on the broker persists over connections [L1]', async (t) => {
  for (const protocol of ['5', '3.1.1'] as const) {
    const broker = await startMosquitto(t);
    const first = startTestSession(t, { url: broker.url, protocol });
    assert.equal((await first.connected()).sessionPresent, false);
    assert.deepEqual(await first.session.subscribe('command/+'), { ok: true });
    await first.session.stop([]);
    const sender = startTestSession(t, { url: broker.url }, { clientId: 'centre' });
    await sender.connected();
    const message = {
      topic: 'command/ping',
      payload: 'while away',
      qos: 1,
      retain: false,
      contentType: 'text/plain',
    } as const;
    await new Promise<PublishOutcome>((settled) => sender.session.publish(message, settled));
    const got: string[] = [];
    const again = startTestSession(
      t,
      { url: broker.url, protocol },
      { onMessage: (topic, payload) => void got.push(`${topic} ${String(payload)}`) },
    );
    assert.equal((await again.connected()).sessionPresent, true);
    await until('the message kept for us', () => got.length === 1);
    assert.deepEqual(got, ['command/ping while away']);
  }
});

test('a broker that knows only MQTT 3.1.1 is used with it, at once [L1]', async (t) => {
  const levels: unknown[] = [];
  const peer = await startMqttPeer(t, (packet, { send, socket }) => {
    if (packet.cmd !== 'connect') return;
    levels.push(packet.protocolVersion);
    // As such a broker answers: in the form of 3.1.1, whatever was asked.
    if (packet.protocolVersion === 4) send({ cmd: 'connack', returnCode: 0, sessionPresent: false });
    else socket.end(Buffer.from([0x20, 0x02, 0x00, 0x01]));
  });
  const { connected } = startTestSession(t, { url: peer.url, backoffMinMs: 60_000, backoffMaxMs: 60_000 });
  const { protocolVersion, receiveMaximum } = await connected();
  assert.deepEqual([protocolVersion, receiveMaximum, levels], [4, 65_535, [5, 4]]);
});

test('a broker that hangs up on MQTT 5 three times is tried with 3.1.1 next [L1]', async (t) => {
  const peer = await startMqttPeer(t, (packet, { send, socket }) => {
    if (packet.cmd !== 'connect') return;
    if (packet.protocolVersion === 4) send({ cmd: 'connack', returnCode: 0, sessionPresent: false });
    else socket.destroy();
  });
  const { connected, failures } = startTestSession(t, { url: peer.url });
  assert.equal((await connected()).protocolVersion, 4);
  assert.equal(failures.length, 3);
});

test('whatever hangs up for a broker that starts again does not cost MQTT 5, or not for long [L1]', async (t) => {
  const levels: unknown[] = [];
  for (const [hangUps, expected] of [
    [2, [5, 5, 5]],
    [3, [5, 5, 5, 4, 5]],
  ] as const) {
    levels.length = 0;
    const peer = await startMqttPeer(t, (packet, { send, socket }) => {
      if (packet.cmd !== 'connect') return;
      levels.push(packet.protocolVersion);
      const hungUp = levels.filter((level) => level === 5).length <= hangUps;
      if (packet.protocolVersion === 5 && hungUp) socket.destroy();
      else if (packet.protocolVersion === 4) send({ cmd: 'connack', returnCode: 0, sessionPresent: false });
      else send({ cmd: 'connack', reasonCode: 0, sessionPresent: false });
    });
    const { connections, losses, session } = startTestSession(t, { url: peer.url }, { guessMs: 100 });
    await until('MQTT 5', () => connections.at(-1)?.protocolVersion === 5);
    assert.deepEqual(levels, expected);
    assert.equal(losses.length, hangUps === 2 ? 0 : 1);
    for (const why of losses) assert.match(why, /MQTT 5 is asked for once more/);
    await session.stop([]);
  }
});

test('a broker that hangs up on MQTT 5 again when it is asked once more keeps its 3.1.1 [L1]', async (t) => {
  const peer = await startMqttPeer(t, (packet, { send, socket }) => {
    if (packet.cmd !== 'connect') return;
    if (packet.protocolVersion === 4) send({ cmd: 'connack', returnCode: 0, sessionPresent: false });
    else socket.destroy();
  });
  const first = startTestSession(t, { url: peer.url }, { guessMs: 50 });
  await until('the second connection', () => first.connections.length === 2);
  // Another one is left meanwhile, after a longer time.
  const second = startTestSession(t, { url: peer.url }, { guessMs: 200 });
  await second.lost();
  assert.equal(first.losses.length, 1);
  assert.equal(first.failures.length, 4);
});

test('with protocol 5 there is no falling back [L1]', async (t) => {
  const peer = await startMqttPeer(t, (packet, { socket }) => {
    if (packet.cmd === 'connect') socket.end(Buffer.from([0x20, 0x02, 0x00, 0x01]));
  });
  const { failures } = startTestSession(t, { url: peer.url, protocol: '5' });
  await until('three attempts', () => failures.length >= 3);
  assert.match(failures[0] ?? '', /does not support this MQTT version \(0x01\): set uplink\.protocol/);
});

test('a wrong password is said with what to do about it, and appears in no log line [L1]', async (t) => {
  const passwords = path.join(await tempDir(t), 'passwords');
  execFileSync('mosquitto_passwd', ['-b', '-c', passwords, 'kiosk', 'right-secret']);
  const config = ['allow_anonymous false', `password_file ${passwords}`];
  const broker = await startMosquitto(t, { config });
  for (const protocol of ['5', '3.1.1'] as const) {
    const wrong = startTestSession(t, {
      url: broker.url,
      protocol,
      username: 'kiosk',
      password: 'wrong-secret',
    });
    const why = await wrong.failed();
    assert.match(
      why,
      /refused the connection: (not authorized|bad user name or password) .*check uplink\.username and uplink\.password/,
    );
    await wrong.session.stop([]);
    assert.doesNotMatch(JSON.stringify([wrong.log.lines, wrong.failures]), /wrong-secret/);
  }
  const right = startTestSession(t, { url: broker.url, username: 'kiosk', password: 'right-secret' });
  await right.connected();
});

test('credentials inside the address are refused without repeating them [L1]', async (t) => {
  const { failed } = startTestSession(t, { url: 'mqtt://kiosk:planted-secret@127.0.0.1:1883' });
  const why = await failed();
  assert.match(why, /holds credentials.*move them to uplink\.username/);
  assert.doesNotMatch(why, /planted-secret/);
});

for (const [code, expected] of [
  [0x89, /it is busy \(0x89\)/],
  [0x8a, /banned \(0x8a\), .*: the broker's administrator must lift/],
  [0x85, /client id \(0x85\), .*: set uplink\.clientId/],
] as const) {
  test(`a refusal with code 0x${code.toString(16)} is put in words, with the broker's own, and tried again [L1]`, async (t) => {
    const peer = await startMqttPeer(t, (packet, { number, send }) => {
      if (packet.cmd !== 'connect') return;
      const properties = { reasonString: 'come\u0000 back\nlater' };
      if (number < 2) send({ cmd: 'connack', reasonCode: code, sessionPresent: false, properties });
      else send({ cmd: 'connack', reasonCode: 0, sessionPresent: false });
    });
    const { connected, failures } = startTestSession(t, { url: peer.url });
    await connected();
    assert.equal(failures.length, 2);
    assert.match(failures[0] ?? '', expected);
    assert.match(failures[0] ?? '', /it says "come {2}back later"/);
  });
}

test('a broker that accepts the connection and never answers is given up in time [L1]', async (t) => {
  const silent = await startMqttPeer(t, () => undefined);
  const { failed } = startTestSession(t, { url: silent.url, connectTimeoutMs: 150 });
  assert.match(await failed(), /no CONNACK from mqtt:\/\/127\.0\.0\.1:\d+ within 150 ms/);
  await until('the next attempt', () => silent.connections > 1);
});

test('a broker that no longer answers pings is left after one and a half times the keep-alive [L1]', async (t) => {
  let pings = 0;
  const peer = await startMqttPeer(t, (packet, { send }) => {
    // The server may shorten the keep-alive: here to a second, so that the test is short.
    if (packet.cmd === 'connect')
      send({ cmd: 'connack', reasonCode: 0, sessionPresent: false, properties: { serverKeepAlive: 1 } });
    if (packet.cmd === 'pingreq') pings += 1;
  });
  const { lost } = startTestSession(t, { url: peer.url });
  assert.match(await lost(), /Keepalive timeout/);
  assert.equal(pings, 1);
});

test('a session that the broker ends says why: taken over by another client with the same id [L1]', async (t) => {
  const peer = await startMqttPeer(t, (packet, { send, socket }) => {
    if (packet.cmd !== 'connect') return;
    send({ cmd: 'connack', reasonCode: 0, sessionPresent: false });
    send({ cmd: 'disconnect', reasonCode: 0x8e });
    socket.end();
  });
  const { failed } = startTestSession(t, { url: peer.url });
  assert.match(await failed(), /another client with the same id took the session over .*its own name/);
});

test('every publish has exactly one outcome, also over a lost connection [L1]', async (t) => {
  const peer = await startMqttPeer(t, (packet, { send, socket }) => {
    if (packet.cmd === 'connect') send({ cmd: 'connack', reasonCode: 0, sessionPresent: false });
    if (packet.cmd !== 'publish') return;
    const number = Number(packet.payload.toString());
    if (number === 1) send({ cmd: 'puback', messageId: packet.messageId ?? 0, reasonCode: 0 });
    if (number === 2) send({ cmd: 'puback', messageId: packet.messageId ?? 0, reasonCode: 0x87 });
    if (number === 4) socket.destroy();
  });
  const { connected, session, lost } = startTestSession(t, {
    url: peer.url,
    backoffMinMs: 60_000,
    backoffMaxMs: 60_000,
  });
  await connected();
  const outcomes: string[] = [];
  const publish = (number: number) =>
    session.publish(
      { topic: 'x', payload: String(number), qos: 1, retain: false, contentType: 'text/plain' },
      (outcome) => void outcomes.push(`${number} ${outcome.kind === 'refused' ? outcome.why : outcome.kind}`),
    );
  for (const number of [1, 2, 3, 4]) publish(number);
  await lost();
  publish(5);
  assert.deepEqual(outcomes.slice(0, 1), ['1 accepted']);
  assert.match(outcomes[1] ?? '', /^2 not authorized \(0x87\)/);
  assert.deepEqual(outcomes.slice(2), ['3 lost', '4 lost', '5 lost']);
});

test('a stop publishes the final messages and says goodbye [L1]', async (t) => {
  const broker = await startMosquitto(t);
  const subscriber = await startSubscriber(t, broker.url, '#');
  const { connected, session } = startTestSession(t, { url: broker.url });
  await connected();
  await session.stop([{ topic: 'last', payload: 'bye', qos: 1, retain: false, contentType: 'text/plain' }]);
  await subscriber.message('the last word', ({ topic }) => topic === 'last');
  assert.deepEqual(
    subscriber.messages.map(({ topic }) => topic),
    ['last'],
  );
});
