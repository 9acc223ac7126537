// Retained state and inventory on a real mosquitto: birth, change, orderly end, and the will.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import test from 'node:test';
import { InventoryDocument, StateDocument } from '../../src/contracts/uplink-documents.ts';
import { schemaCheck } from '../../src/lib/schema-check.ts';
import { startMosquitto } from '../support/mosquitto.ts';
import { startMqttPeer } from '../support/mqtt-peer.ts';
import { startSubscriber } from '../support/mqtt-subscriber.ts';
import { startTestUplink } from '../support/test-uplink.ts';
import { until } from '../support/until.ts';

const stateTopic = /\/state$/;

test('birth and inventory are retained for whoever comes later, and keep to their schema [L3]', async (t) => {
  const broker = await startMosquitto(t);
  const { reported, drained, stream } = startTestUplink(t, { url: broker.url });
  await reported('ok', /connected/);
  stream.appendPlugs(1);
  await drained();
  const late = await startSubscriber(t, broker.url);
  await late.count(/./, 2);
  assert.ok(late.messages.every(({ retain }) => retain));
  const [state] = late.documents(stateTopic);
  const [inventory] = late.documents(/\/inventory$/);
  assert.deepEqual(schemaCheck(StateDocument)(state), { ok: true, value: state });
  assert.deepEqual(schemaCheck(InventoryDocument)(inventory), { ok: true, value: inventory });
  assert.equal(state?.online, true);
  assert.equal(state.connectedSince, '2026-01-01T00:00:01.000Z');
});

test('an orderly stop leaves the state stopped, and the broker forgets the will [L3]', async (t) => {
  const broker = await startMosquitto(t);
  const subscriber = await startSubscriber(t, broker.url);
  const { uplink, reported } = startTestUplink(t, { url: broker.url });
  await reported('ok', /connected/);
  await uplink.stop();
  await subscriber.message('the death', ({ payload }) => payload.includes('"stopped"'));
  // Whatever the broker published on its own account would stand before the answer to a later publish.
  const marker = startTestUplink(t, { url: broker.url, clientId: 'marker' });
  await marker.reported('ok', /connected/);
  await until('three states', () => subscriber.documents(stateTopic).length >= 3);
  assert.deepEqual(
    subscriber.documents(stateTopic).map(({ online, reason }) => [online, reason]),
    [
      [true, undefined],
      [false, 'stopped'],
      [true, undefined],
    ],
  );
});

test('the broker says that a killed appliance is lost [L3]', async (t) => {
  const broker = await startMosquitto(t);
  const subscriber = await startSubscriber(t, broker.url);
  const child = spawn(
    process.execPath,
    [new URL('uplink-process.ts', import.meta.url).pathname, broker.url],
    {
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  );
  t.after(() => child.kill('SIGKILL'));
  await subscriber.message('the birth', ({ payload }) => payload.includes('"online":true'));
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
  const will = await subscriber.message('the will', ({ payload }) => payload.includes('"lost"'));
  const document: unknown = JSON.parse(will.payload);
  assert.deepEqual(schemaCheck(StateDocument)(document), { ok: true, value: document });
  const late = await startSubscriber(t, broker.url, 'autoweave/v1/+/+/+/state');
  await late.count(/./, 1);
  assert.equal(late.messages[0]?.payload, will.payload, 'the will is retained');
});

test('state and inventory follow changes, the newest at most once a second [L3]', async (t) => {
  const broker = await startMosquitto(t);
  const subscriber = await startSubscriber(t, broker.url);
  let asked = 0;
  const { uplink, clock, reported } = startTestUplink(
    t,
    { url: broker.url },
    {
      stateDocument: () => ({
        health: { state: 'ok', simulated: false, parts: {} },
        lastEventId: `1-${++asked}`,
      }),
    },
  );
  await reported('ok', /connected/);
  for (let i = 0; i < 100; i++) uplink.publishState();
  clock.advance(999);
  uplink.publishState();
  assert.equal(asked, 1);
  clock.advance(1);
  uplink.publishState();
  uplink.publishInventory();
  await until('second state and inventory', () => subscriber.messages.length === 4);
  assert.equal(asked, 2);
});

test('stop is done within 2 s though the broker has stopped answering [Q2]', async (t) => {
  const peer = await startMqttPeer(t, (packet, { send }) => {
    if (packet.cmd === 'connect') send({ cmd: 'connack', reasonCode: 0, sessionPresent: false });
  });
  const { uplink, reported, stream } = startTestUplink(t, { url: peer.url });
  await reported('ok', /connected/);
  stream.appendPlugs(500);
  const began = performance.now();
  await uplink.stop();
  assert.ok(performance.now() - began < 2_000, `${performance.now() - began} ms`);
});

test('stop is done at once while the broker is unreachable [Q2]', async (t) => {
  const { uplink, reported } = startTestUplink(t, {
    url: 'mqtt://127.0.0.1:1',
    backoffMinMs: 60_000,
    backoffMaxMs: 60_000,
  });
  await reported('down', /cannot connect/);
  const began = performance.now();
  await uplink.stop();
  assert.ok(performance.now() - began < 500, `${performance.now() - began} ms`);
});
