// Delivery to a real HTTP server that checks every signature: order, filters, batches, windows, retries.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import test from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Webhook } from 'standardwebhooks';
import { CloudEvent } from '../../src/contracts/event.ts';
import { schemaCheck } from '../../src/lib/schema-check.ts';
import { startTestWebhook } from '../support/test-webhooks.ts';
import { until } from '../support/until.ts';
import { isSignedWith, startWebhookReceiver, webhookSecret } from '../support/webhook-receiver.ts';

const ids = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => `1-${from + i}`);

test('every event arrives once, in order, as one signed CloudEvent of its own, byte for byte [U8]', async (t) => {
  const receiver = await startWebhookReceiver(t);
  const { clock, drained, health, metrics, stream } = startTestWebhook(t, { url: receiver.url });
  clock.wallMs = Date.now();
  stream.appendPlugs(300);
  await drained();
  stream.appendPlugs(2);
  await drained();
  assert.deepEqual(
    receiver.deliveries.map(({ body }) => body),
    stream.events.map(({ json }) => json),
  );
  const [first] = receiver.deliveries;
  assert.ok(first !== undefined);
  assert.equal(first.headers['content-type'], 'application/cloudevents+json');
  assert.match(first.headers['webhook-id'] ?? '', /^[0-9a-f]{16}_1-1$/);
  assert.match(first.headers['user-agent'] ?? '', /^autoweave-edge\/\d/);
  assert.ok(isSignedWith(webhookSecret, first));
  const verified = new Webhook(webhookSecret).verify(first.body, first.headers);
  assert.ok(schemaCheck(CloudEvent)(verified).ok);
  assert.equal(new Set(receiver.deliveries.map(({ headers }) => headers['webhook-id'])).size, 302);
  assert.equal(receiver.mostAtOnce, 1);
  assert.equal(new Set(receiver.deliveries.map(({ connection }) => connection)).size, 1);
  assert.deepEqual(health.at(-1), {
    part: 'webhook:till',
    state: 'ok',
    why: `http://127.0.0.1:${receiver.port} accepts the events`,
  });
  assert.equal(metrics.total('webhooks.delivered', { webhook: 'till' }), 302);
  assert.equal(metrics.total('webhooks.up', { webhook: 'till' }), 1);
});

test('only the wanted types are sent, and the cursor passes the others [U8]', async (t) => {
  const receiver = await startWebhookReceiver(t);
  const { drained, stream } = startTestWebhook(t, { url: receiver.url, types: ['usb.source.*'] });
  stream.appendPlugs(600);
  stream.append('usb.source.lost', { source: 'kernel', why: 'x' });
  stream.appendPlugs(3);
  await drained();
  assert.deepEqual(receiver.accepted, ['1-601']);
});

test('a batch is one signed list of CloudEvents in order, and holds a quarter of a megabyte at most [U8]', async (t) => {
  const receiver = await startWebhookReceiver(t);
  const { drained, stream } = startTestWebhook(t, { url: receiver.url, batch: 100 });
  stream.appendPlugs(250);
  await drained();
  for (let i = 0; i < 5; i++)
    stream.append('usb.source.lost', { source: 'kernel', why: 'x'.repeat(100_000) });
  await drained();
  assert.deepEqual(receiver.accepted, ids(1, 255));
  const [first] = receiver.deliveries;
  assert.equal(first?.headers['content-type'], 'application/cloudevents-batch+json');
  assert.match(first.headers['webhook-id'] ?? '', /^[0-9a-f]{16}_1-1_1-\d+$/);
  assert.ok(receiver.deliveries.every(({ ids }) => ids.length <= 100));
  assert.ok(receiver.deliveries.some(({ ids }) => ids.length === 100));
  assert.ok(receiver.deliveries.every(({ body }) => body.length <= 262_144));
});

test('with a wider window several requests are on their way, and the cursor waits for the oldest [U8]', async (t) => {
  const gate = Promise.withResolvers<number>();
  const receiver = await startWebhookReceiver(t, {
    answer: ({ ids: [id] }) => (id === '1-1' ? gate.promise : 204),
  });
  const { drained, stream } = startTestWebhook(t, { url: receiver.url, maxInFlight: 4 });
  stream.appendPlugs(20);
  await until('the others went past the first', () => receiver.accepted.length >= 3);
  assert.equal(stream.cursor.position.number, 0);
  gate.resolve(204);
  await drained();
  assert.deepEqual([...receiver.accepted].sort(), ids(1, 20).sort());
  assert.ok(receiver.mostAtOnce > 1 && receiver.mostAtOnce <= 4, `${receiver.mostAtOnce} at once`);
});

test('a request that fails leaves the others on their way alone [U8]', async (t) => {
  let failed = false;
  const answerFirst = Promise.withResolvers<void>();
  const receiver = await startWebhookReceiver(t, {
    async answer({ ids }, response) {
      if (ids[0] === '1-2') await answerFirst.promise;
      if (ids[0] !== '1-3' || failed) return 204;
      failed = true;
      response.destroy();
      return undefined;
    },
  });
  const { drained, reported, stream } = startTestWebhook(t, { url: receiver.url, maxInFlight: 2 });
  stream.appendPlugs(1);
  await drained();
  stream.appendPlugs(2);
  await reported('down', /trying again/);
  answerFirst.resolve();
  await drained();
  assert.deepEqual(
    receiver.deliveries.map(({ ids }) => ids[0]),
    ['1-1', '1-2', '1-3', '1-3'],
  );
});

test('nothing is sent before mayPublish has allowed it [B1]', async (t) => {
  const receiver = await startWebhookReceiver(t);
  const gate = Promise.withResolvers<void>();
  const asked: number[] = [];
  const mayPublish = async ({ number }: { readonly number: number }) => {
    asked.push(number);
    await gate.promise;
  };
  const { drained, stream } = startTestWebhook(t, { url: receiver.url }, { mayPublish });
  stream.appendPlugs(5);
  await until('permission is asked for', () => asked.length > 0);
  assert.deepEqual([asked, receiver.deliveries.length], [[5], 0]);
  gate.resolve();
  await drained();
});

test('events made while the receiver was down arrive in order once it is up, the same id at every attempt [U8]', async (t) => {
  let refusals = 3;
  const receiver = await startWebhookReceiver(t, {
    started: false,
    answer: () => (refusals-- > 0 ? 503 : 204),
  });
  await receiver.start();
  await receiver.stop();
  const { clock, drained, metrics, reported, stream } = startTestWebhook(t, { url: receiver.url });
  stream.appendPlugs(10);
  const why = await reported('down', /nothing listens there/);
  assert.match(
    why,
    /^http:\/\/127\.0\.0\.1:\d+: nothing listens there.*ECONNREFUSED.*nothing is lost, trying again/,
  );
  assert.equal(metrics.total('webhooks.up', { webhook: 'till' }), 0);
  clock.advance(60_000);
  await receiver.start();
  await drained();
  assert.deepEqual(receiver.accepted, ids(1, 10));
  const attempts = receiver.deliveries.slice(0, 4);
  assert.equal(new Set(attempts.map(({ headers }) => headers['webhook-id'])).size, 1);
  assert.ok(metrics.total('webhooks.failed', { webhook: 'till', reason: 'ECONNREFUSED' }) > 0);
  assert.equal(metrics.total('webhooks.failed', { webhook: 'till', reason: '503' }), 3);
  await reported('ok', /accepts the events/);
});

test('a receiver that cuts connections at random gets everything in order [U8]', async (t) => {
  let count = 0;
  const receiver = await startWebhookReceiver(t, {
    answer: (_delivery, response) => {
      count += 1;
      if (count % 3 !== 0) return 204;
      response.destroy();
      return undefined;
    },
  });
  const { drained, stream } = startTestWebhook(t, { url: receiver.url, backoffMaxMs: 20 });
  stream.appendPlugs(30);
  await drained();
  assert.deepEqual(receiver.accepted, ids(1, 30));
});

test('a kept connection that the receiver closed meanwhile is no failure [U8]', async (t) => {
  const receiver = await startWebhookReceiver(t);
  const { drained, health, stream } = startTestWebhook(t, { url: receiver.url });
  stream.appendPlugs(1);
  await drained();
  await receiver.stop();
  await receiver.start();
  stream.appendPlugs(1);
  await drained();
  assert.deepEqual(
    health.filter(({ state }) => state === 'down' || state === 'degraded'),
    [],
  );
});

test('a stop is done within a second though the receiver does not answer, and the event is sent again by the next start [Q2]', async (t) => {
  const receiver = await startWebhookReceiver(t, { answer: () => undefined });
  const { stream, webhooks } = startTestWebhook(t, { url: receiver.url });
  stream.appendPlugs(1);
  await until('the request is on its way', () => receiver.deliveries.length === 1);
  const late = delay(4_000, 'late');
  assert.notEqual(await Promise.race([webhooks.stop(), late]), 'late');
  assert.equal(stream.cursor.position.number, 0);
  const next = await startWebhookReceiver(t);
  const again = startTestWebhook(t, { url: next.url }, { stream });
  await again.drained();
  assert.equal(next.deliveries[0]?.headers['webhook-id'], receiver.deliveries[0]?.headers['webhook-id']);
});

test('an answer that never ends does not hold up the next event for longer than the time-out [L5]', async (t) => {
  const receiver = await startWebhookReceiver(t, {
    answer: (_delivery, response) => {
      response.writeHead(200);
      const drip = setInterval(() => response.write('.'), 10);
      void once(response, 'close').then(() => clearInterval(drip));
      return undefined;
    },
  });
  const { drained, stream } = startTestWebhook(t, { url: receiver.url, timeoutMs: 200 });
  stream.appendPlugs(3);
  await drained();
  assert.deepEqual(
    receiver.deliveries.flatMap(({ ids }) => ids),
    ids(1, 3),
  );
});
