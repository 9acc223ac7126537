// Brokers that do harm: no crash, no memory, no silence; and the next good broker is used as if nothing had been.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { duplexPair } from 'node:stream';
import test from 'node:test';
import { hostileRound, openTestConnection, publishes } from '../support/hostile-round.ts';
import { startMqttPeer } from '../support/mqtt-peer.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { startTestUplink } from '../support/test-uplink.ts';

test('1,500 connections full of rubbish end with a reason, and every publish has its outcome [L5]', async () => {
  const random = seededRandom(5);
  let connected = 0;
  const reasons = new Set<string>();
  for (let round = 0; round < 1_500; round++) {
    const end = await hostileRound(random);
    assert.ok(end.why.length > 0);
    reasons.add(end.why.replaceAll(/\d+/g, 'N'));
    if (!end.connected) continue;
    connected += 1;
    assert.equal(end.outcomes.length, publishes, end.why);
  }
  assert.ok(connected > 500, `only ${connected} got past CONNACK`);
  assert.ok(reasons.size > 20, [...reasons].join('\n'));
});

test('over real sockets the session survives each kind of broker and uses the good one that follows [L5]', async (t) => {
  const attacks: readonly (() => Buffer)[] = [
    () => Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'),
    () => Buffer.alloc(100_000, 0xff),
    () => Buffer.from([0x20, 0x02, 0xff, 0x00]),
    () => Buffer.from([0x20, 0x00]),
    () => Buffer.from([0x20, 0x03, 0x00, 0x00, 0xff]),
    // A good CONNACK, then: PUBACKs for ids that were never used, a PUBLISH of 256 MB, a second CONNACK.
    () =>
      Buffer.from([
        0x20,
        0x03,
        0,
        0,
        0,
        ...Array.from({ length: 100 }, (_, i) => [0x40, 0x02, 0xff, i]).flat(),
        0xff,
      ]),
    () =>
      Buffer.concat([
        Buffer.from([0x20, 0x03, 0, 0, 0, 0x30, 0xff, 0xff, 0xff, 0x7f]),
        Buffer.alloc(2_000_000),
      ]),
    () => Buffer.from([0x20, 0x03, 0, 0, 0, 0x20, 0x03, 0, 0, 0]),
  ];
  const peer = await startMqttPeer(t, (packet, { number, send, socket }) => {
    const attack = attacks[number];
    if (packet.cmd === 'connect' && attack !== undefined) socket.write(attack());
    else if (attack !== undefined) return;
    else if (packet.cmd === 'connect') send({ cmd: 'connack', reasonCode: 0, sessionPresent: false });
    else if (packet.cmd === 'publish')
      send({ cmd: 'puback', messageId: packet.messageId ?? 0, reasonCode: 0 });
  });
  const { drained, health, stream } = startTestUplink(
    t,
    { url: peer.url, protocol: '5', connectTimeoutMs: 200 },
    { ackTimeoutMs: 200 },
  );
  stream.appendPlugs(10);
  await drained(5_000).catch(() => assert.fail(health.map(({ why }) => why).join('\n')));
  assert.equal(peer.connections, attacks.length + 1);
  const reasons = health.filter(({ state }) => state === 'down').map(({ why }) => why);
  assert.ok(reasons.length >= attacks.length, reasons.join('\n'));
});

test('a broker that floods us and never reads our answers is held up, and takes none of our memory [L5]', async () => {
  const [ours, theirs] = duplexPair();
  let messages = 0;
  const connection = openTestConnection(ours, 5, () => {
    messages += 1;
  });
  const opened = connection.open();
  theirs.write(Buffer.from([0x20, 0x03, 0, 0, 0]));
  await opened;
  const publish = Buffer.from([0x32, 7, 0, 1, 0x78, 0, 9, 0, 0x79]);
  const chunk = Buffer.concat(Array.from({ length: 1_000 }, () => publish));
  let taken = 0;
  for (; taken < 1_000; taken++) {
    const drained = once(theirs, 'drain').then(() => true);
    if (theirs.write(chunk)) continue;
    const isStuck = new Promise((resolve) => setTimeout(resolve, 100)).then(() => false);
    if (!(await Promise.race([drained, isStuck]))) break;
  }
  assert.ok(messages > 1_000, `${messages} messages`);
  assert.ok(taken < 200, `${taken * 1_000} messages were taken in, unanswered`);
  connection.drop('enough');
  assert.equal(await connection.ended, 'enough');
});
