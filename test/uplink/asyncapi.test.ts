// The document of the topic tree against what a real mosquitto carried.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import type { EventType } from '../../src/contracts/event-types.ts';
import { makeAsyncApi } from '../../src/uplink/make-asyncapi.ts';
import { asyncApiCheck } from '../support/asyncapi-check.ts';
import { startMosquitto } from '../support/mosquitto.ts';
import { startSubscriber } from '../support/mqtt-subscriber.ts';
import { sampleEvents, samplePluginStatus } from '../support/sample-events.ts';
import { startTestUplink } from '../support/test-uplink.ts';

test('asyncapi.json is what the contracts say: run `node src/uplink/make-asyncapi.ts` and look at the difference [L3]', () => {
  const committed: unknown = JSON.parse(
    readFileSync(new URL('../../src/uplink/asyncapi.json', import.meta.url), 'utf8'),
  );
  assert.deepEqual(committed, makeAsyncApi());
});

test('everything that a broker carries keeps to the document, and it describes nothing else [L3]', async (t) => {
  const broker = await startMosquitto(t);
  const subscriber = await startSubscriber(t, broker.url, '#');
  const { drained, stream, uplink } = startTestUplink(t, { url: broker.url });
  for (const type of Object.keys(sampleEvents) as EventType[]) stream.append(type, sampleEvents[type]);
  const plugin = { ...sampleEvents['plugin.removed'] };
  stream.append('plugin.x.reading' as EventType, plugin);
  uplink.publishPlugin('x', samplePluginStatus);
  await drained();
  const message = { plugin: 'x', topic: 'weight', payload: '{"kg":1}', retain: false };
  assert.equal(await uplink.publishPluginMessage(message), null);
  await subscriber.message('how the plugin is', ({ topic }) => topic.endsWith('/plugin/x'));
  await uplink.stop();
  await subscriber.message('the death', ({ payload }) => payload.includes('"stopped"'));
  const check = asyncApiCheck();
  assert.deepEqual(
    subscriber.messages.flatMap(({ topic, payload }) => check.problems(topic, payload)),
    [],
  );
  const seen = new Set(subscriber.messages.map(({ topic }) => check.channelOf(topic)));
  assert.deepEqual(
    check.channels.filter((name) => !seen.has(name)),
    [],
    'described, but never carried',
  );
});

test('the document refuses unknown topics and what is not in the schema [L3]', () => {
  const { problems } = asyncApiCheck();
  const topic = 'autoweave/v1/acme/lobby/kiosk-1/state';
  assert.deepEqual(problems('autoweave/v1/acme/lobby/kiosk-1/event/usb.unknown', '{}'), [
    'autoweave/v1/acme/lobby/kiosk-1/event/usb.unknown: the document has no such channel',
  ]);
  assert.deepEqual(problems('autoweave/v1/acme/lobby/extra/kiosk-1/state', '{}').length, 1);
  const death = {
    online: false,
    source: 'urn:autoweave:acme:lobby:kiosk-1',
    bootid: 'b',
    time: '2026-01-01T00:00:00.000Z',
    clock: 'synced',
    reason: 'lost',
  };
  assert.deepEqual(problems(topic, JSON.stringify(death)), []);
  assert.notDeepEqual(problems(topic, JSON.stringify({ ...death, reason: 'bored' })), []);
  assert.notDeepEqual(problems(topic, JSON.stringify({ ...death, extra: 1 })), []);
});
