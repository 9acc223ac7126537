// Brokers that refuse, forget, repeat and hang up: nothing is lost, nothing overtakes, and the health says what is going on.
import assert from 'node:assert/strict';
import test from 'node:test';
import type { Packet } from 'mqtt-packet';
import { type MqttPeer, type PeerConnection, startMqttPeer } from '../support/mqtt-peer.ts';
import { startTestUplink } from '../support/test-uplink.ts';
import { until } from '../support/until.ts';
import type { Cleanup } from '../support/with-cleanup.ts';

interface Seen {
  readonly connection: number;
  readonly event: number;
}

interface ScriptedBroker extends MqttPeer {
  /** Events in the order in which they came. */
  readonly seen: readonly Seen[];
  /** Events that it has taken for good. */
  readonly taken: ReadonlySet<number>;
}

interface Script {
  /** Default: a plain CONNACK. */
  readonly onConnect?: (peer: PeerConnection) => void;
  /** Whether and how to answer an event; `accept` sends the PUBACK. */
  readonly onEvent: (event: number, messageId: number, peer: PeerConnection, accept: () => void) => void;
}

const connack: Packet = { cmd: 'connack', reasonCode: 0, sessionPresent: false };

async function scriptedBroker(t: Cleanup, script: Script): Promise<ScriptedBroker> {
  const seen: Seen[] = [];
  const taken = new Set<number>();
  const peer = await startMqttPeer(t, (packet, connection) => {
    if (packet.cmd === 'connect') (script.onConnect ?? (({ send }) => send(connack)))(connection);
    if (packet.cmd !== 'publish') return;
    const { id } = JSON.parse(packet.payload.toString()) as { readonly id?: string };
    const messageId = packet.messageId ?? 0;
    const puback = () => connection.send({ cmd: 'puback', messageId, reasonCode: 0 });
    if (id === undefined) {
      puback();
      return;
    }
    const event = Number(id.split('-')[1]);
    seen.push({ connection: connection.number, event });
    script.onEvent(event, messageId, connection, () => {
      taken.add(event);
      puback();
    });
  });
  return Object.assign(peer, { seen, taken });
}

/** Each connection carries consecutive events, from one that was not acknowledged on; together all that there are. */
function assertComplete({ seen, taken }: ScriptedBroker, last: number): void {
  assert.equal(taken.size, last, 'events without any PUBACK');
  for (let i = 1; i < seen.length; i++) {
    const [before, now] = [seen[i - 1], seen[i]];
    if (before === undefined || now === undefined) continue;
    if (before.connection === now.connection)
      assert.equal(now.event, before.event + 1, `on connection ${now.connection}`);
    else assert.ok(now.event <= before.event + 1, `connection ${now.connection} left out events`);
  }
}

for (const [code, words] of [
  [0x88, /unavailable \(0x88\)/],
  [0x87, /not authorized \(0x87\): check uplink\.username/],
  [0x97, /quota is used up \(0x97\)/],
  [0x9f, /too many connections \(0x9f\)/],
] as const) {
  test(`a broker that refuses the connection with 0x${code.toString(16)} is said and asked again until it takes everything [L2]`, async (t) => {
    const broker = await scriptedBroker(t, {
      onConnect: ({ number, send }) =>
        send(number < 3 ? { cmd: 'connack', reasonCode: code, sessionPresent: false } : connack),
      onEvent: (_event, _messageId, _peer, accept) => accept(),
    });
    const { drained, reported, stream } = startTestUplink(t, { url: broker.url, protocol: '5' });
    stream.appendPlugs(50);
    assert.match(await reported('down', /refused the connection/), words);
    await drained();
    assertComplete(broker, 50);
    assert.equal(broker.connections, 4);
    await reported('ok', /connected/);
  });
}

for (const [code, words] of [
  [0x80, /no reason given \(0x80\)/],
  [0x83, /implementation \(0x83\)/],
  [0x87, /not authorized \(0x87\)/],
  [0x90, /topic \(0x90\)/],
  [0x91, /packet identifier in use \(0x91\)/],
  [0x97, /quota is used up \(0x97\)/],
  [0x99, /payload \(0x99\)/],
] as const) {
  test(`events answered with PUBACK 0x${code.toString(16)} are kept, said, and sent again in order [L2]`, async (t) => {
    let refusals = 3;
    const seen: number[] = [];
    const broker = await scriptedBroker(t, {
      onEvent(event, messageId, { send }, accept) {
        seen.push(event);
        if (event === 7 && refusals-- > 0) send({ cmd: 'puback', messageId, reasonCode: code });
        else accept();
      },
    });
    const { drained, health, reported, stream } = startTestUplink(t, { url: broker.url, window: 4 });
    stream.appendPlugs(20);
    assert.match(await reported('degraded', /does not take events/), words);
    await drained();
    assert.equal(broker.taken.size, 20);
    assert.equal(broker.connections, 1);
    // Whatever went out beside a refused one is sent again behind it.
    assert.deepEqual(
      seen.slice(seen.lastIndexOf(7)),
      Array.from({ length: 14 }, (_, index) => 7 + index),
    );
    await reported('ok', /takes events again/);
    const states = health.map(({ state }) => state);
    const refused = states.slice(states.indexOf('degraded'), states.lastIndexOf('degraded') + 1);
    assert.deepEqual(
      refused,
      ['degraded', 'degraded', 'degraded'],
      'good only when the refused one is taken',
    );
  });
}

test('while one event is refused for ever the health stays degraded and the pauses grow, though those behind it are taken [L2]', async (t) => {
  const broker = await scriptedBroker(t, {
    onEvent(event, messageId, { send }, accept) {
      if (event === 1) send({ cmd: 'puback', messageId, reasonCode: 0x87 });
      else accept();
    },
  });
  const { health, log, stream } = startTestUplink(
    t,
    { url: broker.url, window: 4, backoffMinMs: 5, backoffMaxMs: 10_000 },
    { random: () => 0.99 },
  );
  stream.appendPlugs(20);
  const retries = () => log.lines.filter(({ message }) => message === 'no event can be published now');
  await until('six refusals', () => retries().length >= 6);
  const pauses = retries().map(({ facts }) => ('waitMs' in facts ? Number(facts.waitMs) : 0));
  assert.deepEqual(
    pauses,
    pauses.toSorted((a, b) => a - b),
  );
  assert.equal(new Set(pauses).size, pauses.length, 'each pause is longer than the one before');
  const states = health.map(({ state }) => state);
  assert.deepEqual([...new Set(states.slice(states.indexOf('degraded')))], ['degraded']);
  assert.equal(stream.cursor.position.number, 0);
});

test('a broker that forgets single PUBACKs is left for it, and gets what it did not acknowledge again [L2]', async (t) => {
  const forgotten = new Set<number>();
  const broker = await scriptedBroker(t, {
    onEvent(event, _messageId, _peer, accept) {
      if (event % 10 !== 3 || forgotten.has(event)) accept();
      else forgotten.add(event);
    },
  });
  const { drained, metrics, reported, stream } = startTestUplink(
    t,
    { url: broker.url, window: 5 },
    { ackTimeoutMs: 200 },
  );
  stream.appendPlugs(30);
  await reported('down', /did not acknowledge an event within 200 ms/);
  await drained();
  assertComplete(broker, 30);
  assert.deepEqual([...forgotten], [3, 13, 23]);
  assert.ok(metrics.total('uplink.resent') >= 3);
});

test('PUBACKs in the wrong order, twice, or for messages that were never sent do not move the cursor past an event [L2]', async (t) => {
  const waiting: (() => void)[] = [];
  const broker = await scriptedBroker(t, {
    onEvent(_event, messageId, { send }, accept) {
      send({ cmd: 'puback', messageId: 60_000 + (messageId % 100), reasonCode: 0 });
      waiting.push(() => {
        accept();
        send({ cmd: 'puback', messageId, reasonCode: 0 });
      });
      if (waiting.length === 5) for (const answer of waiting.splice(0).reverse()) answer();
    },
  });
  const positions: number[] = [];
  const { drained, stream } = startTestUplink(t, { url: broker.url, window: 5 });
  t.after(stream.onAppended(() => positions.push(stream.cursor.position.number)));
  stream.appendPlugs(100);
  await drained();
  assertComplete(broker, 100);
  assert.equal(broker.connections, 1);
  stream.appendPlugs(4);
  await until('four more are out', () => waiting.length === 4);
  assert.equal(stream.cursor.position.number, 100, 'none of the four was acknowledged');
});

test('a broker that drops the session between connections misses nothing, and each connect says what became of it [L2]', async (t) => {
  const kept = [false, true, false, true];
  const broker = await scriptedBroker(t, {
    onConnect: ({ number, send }) =>
      send({ cmd: 'connack', reasonCode: 0, sessionPresent: kept[number] ?? false }),
    onEvent(event, _messageId, { number, socket }, accept) {
      // Hangs up in the middle of each third of the events, once.
      if (number < 3 && event === (number + 1) * 10) socket.destroy();
      else accept();
    },
  });
  const { drained, said, stream } = startTestUplink(t, { url: broker.url, window: 3 });
  stream.appendPlugs(40);
  await drained();
  assertComplete(broker, 40);
  const connects = said.filter(({ type }) => type === 'uplink.connected').map(({ data }) => data);
  assert.deepEqual(
    connects.map((data) => 'sessionPresent' in data && data.sessionPresent),
    kept,
  );
});

for (const [code, words] of [
  [0x8b, /shutting down \(0x8b\)/],
  [0x97, /quota is used up \(0x97\)/],
  [0x93, /more messages in flight than it allows \(0x93\)/],
] as const) {
  test(`a broker that says goodbye with 0x${code.toString(16)} amid a drain is said, and gets the rest later [L2]`, async (t) => {
    const broker = await scriptedBroker(t, {
      onEvent(event, _messageId, { number, send, socket }, accept) {
        if (number > 0 || event < 8) accept();
        else if (event === 8) {
          send({ cmd: 'disconnect', reasonCode: code });
          socket.end();
        }
      },
    });
    const { drained, reported, stream } = startTestUplink(t, { url: broker.url, window: 4 });
    stream.appendPlugs(30);
    assert.match(await reported('down', /lost: the broker ended the session/), words);
    await drained();
    assertComplete(broker, 30);
  });
}

test('new events keep flowing behind a drain that is cut again and again, all in one order [L2]', async (t) => {
  const broker = await scriptedBroker(t, {
    onEvent(event, _messageId, { number, socket }, accept) {
      if (number < 5 && event === (number + 1) * 100) socket.destroy();
      else accept();
    },
  });
  const { drained, stream } = startTestUplink(t, { url: broker.url, window: 10 });
  stream.appendPlugs(500);
  for (let round = 0; round < 10; round++) {
    const goal = 50 * (round + 1);
    await until('the drain goes on', () => stream.cursor.position.number >= goal);
    stream.appendPlugs(20);
  }
  await drained();
  assertComplete(broker, 700);
});
