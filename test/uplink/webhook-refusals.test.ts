// What happens when a receiver does not take an event, may not be spoken to, or is not what it claims to be.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import test from 'node:test';
import { makeAuthority } from '../support/certificates.ts';
import { eventStream } from '../support/event-stream.ts';
import { tempDir } from '../support/temp-dir.ts';
import { startTestWebhook, webhookConfig } from '../support/test-webhooks.ts';
import { until } from '../support/until.ts';
import { startWebhookReceiver } from '../support/webhook-receiver.ts';

for (const [status, said] of [
  [400, /answered 400: does it know this secret\?/],
  [404, /answered 404: is the path of url right\?/],
  [500, /answered 500;/],
] as const) {
  test(`an answer of ${status} is said and tried again in order, nothing is skipped [U8]`, async (t) => {
    let refusals = 4;
    const receiver = await startWebhookReceiver(t, {
      answer: ({ ids }) => (ids.includes('1-2') && refusals-- > 0 ? status : 204),
    });
    const { drained, reported, stream } = startTestWebhook(t, { url: receiver.url });
    stream.appendPlugs(4);
    assert.match(await reported('degraded', said), /nothing is lost, trying again in 1 s/);
    await drained();
    assert.deepEqual(receiver.accepted, ['1-1', '1-2', '1-3', '1-4']);
    assert.equal(receiver.deliveries.length, 8);
    await reported('ok', /accepts/);
  });
}

test('a signature that the receiver refuses while the clock is not set says so [U9]', async (t) => {
  const receiver = await startWebhookReceiver(t, {
    secret: `whsec_${Buffer.alloc(24, 1).toString('base64')}`,
  });
  const { clock, reported, stream } = startTestWebhook(t, { url: receiver.url });
  clock.synced = false;
  stream.appendPlugs(1);
  await reported(
    'degraded',
    /answered 401: does it know this secret\? This machine's clock is not synchronized/,
  );
});

test('Retry-After is waited for, also beyond the longest back-off [U8]', async (t) => {
  let first = true;
  const answeredMs: number[] = [];
  const receiver = await startWebhookReceiver(t, {
    answer: (_delivery, response) => {
      answeredMs.push(performance.now());
      if (first) response.setHeader('retry-after', '1');
      const status = first ? 429 : 204;
      first = false;
      return status;
    },
  });
  const { drained, reported, stream } = startTestWebhook(t, { url: receiver.url, backoffMaxMs: 20 });
  stream.appendPlugs(1);
  await reported('degraded', /answered 429; nothing is lost, trying again in 1 s/);
  await drained();
  const [refusedMs = 0, acceptedMs = 0] = answeredMs;
  assert.equal(answeredMs.length, 2);
  assert.ok(acceptedMs - refusedMs >= 990, `${acceptedMs - refusedMs} ms`);
});

test('while the receiver fails there is one request at a time, however wide the window [U8]', async (t) => {
  let failing = true;
  let [at, most] = [0, 0];
  const receiver = await startWebhookReceiver(t, {
    answer: async () => {
      at += 1;
      most = Math.max(most, at);
      await new Promise((resolve) => setImmediate(resolve));
      at -= 1;
      return failing ? 500 : 204;
    },
  });
  const { drained, metrics, stream } = startTestWebhook(t, { url: receiver.url, maxInFlight: 8 });
  stream.appendPlugs(50);
  const failed = () => metrics.total('webhooks.failed', { webhook: 'till', reason: '500' });
  await until('the first round failed', () => failed() >= 8);
  const before = receiver.deliveries.length;
  most = 0;
  await until('some more attempts', () => failed() >= 8 + 5);
  assert.ok(receiver.deliveries.length > before);
  assert.equal(most, 1);
  failing = false;
  await drained();
  assert.equal(new Set(receiver.accepted).size, 50);
});

test('410 Gone disables the webhook with an event, and it is asked nothing more [U8]', async (t) => {
  const receiver = await startWebhookReceiver(t, { answer: ({ ids }) => (ids.includes('1-2') ? 410 : 204) });
  const { health, log, said, stream, webhooks } = startTestWebhook(t, { url: receiver.url });
  stream.appendPlugs(3);
  await until('the event', () => said.length === 1);
  stream.appendPlugs(3);
  await webhooks.stop();
  assert.equal(receiver.deliveries.length, 2);
  assert.equal(said[0]?.type, 'uplink.webhook-disabled');
  assert.match(said[0].data.why, /410 Gone.*remove it from uplink\.webhooks/);
  assert.equal(health.at(-1)?.state, 'down');
  assert.equal(stream.cursor.position.number, 1);
  assert.doesNotMatch(JSON.stringify([health, log.lines, said]), /planted-query|whsec|MDEyMzQ1/);
});

test('a batch that is too large is sent in halves, and one event that is too large is skipped with an event [U8]', async (t) => {
  const receiver = await startWebhookReceiver(t, { answer: ({ body }) => (body.length > 5_000 ? 413 : 204) });
  const { drained, metrics, said, stream } = startTestWebhook(t, { url: receiver.url, batch: 64 });
  stream.appendPlugs(40);
  stream.append('usb.source.lost', { source: 'kernel', why: 'x'.repeat(6_000) });
  stream.appendPlugs(10);
  await drained();
  const expected = stream.events.map(({ id }) => `1-${id.number}`).filter((id) => id !== '1-41');
  assert.deepEqual(receiver.accepted, expected);
  assert.deepEqual(
    said.map(({ type, data }) => [type, 'id' in data && data.id]),
    [['uplink.webhook-skipped', '1-41']],
  );
  assert.equal(metrics.total('webhooks.skipped', { webhook: 'till' }), 1);
});

test('after one event that was too large batches grow to their size again [U8]', async (t) => {
  const receiver = await startWebhookReceiver(t, {
    answer: ({ body }) => (body.length > 99_000 ? 413 : 204),
  });
  const { drained, stream } = startTestWebhook(t, { url: receiver.url, batch: 64 });
  stream.appendPlugs(30);
  stream.append('usb.source.lost', { source: 'kernel', why: 'x'.repeat(100_000) });
  stream.appendPlugs(30);
  await drained();
  stream.appendPlugs(1_500);
  await drained();
  const sizes = receiver.deliveries.map(({ ids }) => ids.length);
  assert.equal(Math.max(...sizes.slice(sizes.lastIndexOf(1) + 1)), 64, sizes.join(', '));
});

test('an event about a skipped one that is itself refused as too large makes no further one [U8]', async (t) => {
  const receiver = await startWebhookReceiver(t, { answer: () => 413 });
  const { drained, said, stream } = startTestWebhook(t, { url: receiver.url });
  stream.append('uplink.webhook-skipped', { webhook: 'till', id: '1-1', why: '413' });
  await drained();
  assert.deepEqual(said, []);
});

test('a redirect is not followed, and said [U8]', async (t) => {
  const elsewhere = await startWebhookReceiver(t);
  const receiver = await startWebhookReceiver(t, {
    answer: (_delivery, response) => {
      response.setHeader('location', elsewhere.url);
      return 307;
    },
  });
  const { reported, stream } = startTestWebhook(t, { url: receiver.url });
  stream.appendPlugs(1);
  await reported('degraded', /answered 307, a redirect, which is not followed: set url to the final address/);
  assert.equal(elsewhere.deliveries.length, 0);
});

test('a receiver that does not answer is given up in time and tried again [U8]', async (t) => {
  let silent = 1;
  const receiver = await startWebhookReceiver(t, { answer: () => (silent-- > 0 ? undefined : 204) });
  const { drained, reported, stream } = startTestWebhook(t, { url: receiver.url, timeoutMs: 300 });
  stream.appendPlugs(1);
  await reported('down', /no answer within 300 ms/);
  await drained();
});

test('certificates are checked: an unknown authority and another name are refused, caFile makes its own known [U8]', async (t) => {
  const authority = await makeAuthority(await tempDir(t), 'receivers');
  const { cert, key } = await authority.issue('receiver');
  const tls = { cert: await readFile(cert), key: await readFile(key) };
  const receiver = await startWebhookReceiver(t, { tls });
  const unknown = startTestWebhook(t, { url: receiver.url });
  unknown.stream.appendPlugs(1);
  await unknown.reported('down', /authority is not known here; set caFile/);
  const known = startTestWebhook(t, { url: receiver.url, caFile: authority.cert });
  known.stream.appendPlugs(3);
  await known.drained();
  assert.deepEqual(receiver.accepted, ['1-1', '1-2', '1-3']);
  // The same address in another notation, which the certificate does not have.
  const otherName = receiver.url.replace('127.0.0.1', '[::ffff:127.0.0.1]');
  const misnamed = startTestWebhook(t, { url: otherName, caFile: authority.cert });
  misnamed.stream.appendPlugs(1);
  await misnamed.reported('down', /certificate is for another name/);
  assert.equal(receiver.deliveries.length, 3);
  const broken = startTestWebhook(t, { url: receiver.url, caFile: key });
  broken.stream.appendPlugs(1);
  await broken.reported('down', /caFile .* cannot be used/);
});

test('http:// leads to loopback and private addresses only, unless it is allowed [U8]', async (t) => {
  for (const url of ['http://192.0.2.1:9/hook', 'http://[2001:db8::1]:9/hook']) {
    const outside = startTestWebhook(t, { url });
    outside.stream.appendPlugs(1);
    await outside.reported(
      'down',
      /lies outside the private networks.*use https:\/\/, or set allowPlainHttp/,
    );
    await outside.webhooks.stop();
  }
  const receiver = await startWebhookReceiver(t);
  const byName = startTestWebhook(t, { url: `http://localhost:${receiver.port}/hook` });
  byName.stream.appendPlugs(1);
  await byName.drained();
});

test('without a secret nothing is sent, and the health says so [U8]', async (t) => {
  const receiver = await startWebhookReceiver(t);
  const { secret: _, ...unsigned } = webhookConfig({ url: receiver.url });
  const { reported, stream } = startTestWebhook(t, { url: receiver.url }, { webhooks: [unsigned] });
  stream.appendPlugs(1);
  await reported('down', /no secret is set: nothing is sent/);
  assert.equal(receiver.deliveries.length, 0);
});

test('a buffer that cannot be read is said, and reading is tried again [B4]', async (t) => {
  const receiver = await startWebhookReceiver(t);
  const stream = eventStream();
  let failures = 2;
  const place = () => ({
    cursor: stream.cursor,
    read: async (...args: Parameters<typeof stream.read>) => {
      if (failures-- > 0) throw new Error('Redis is away');
      return stream.read(...args);
    },
  });
  const { drained, reported } = startTestWebhook(t, { url: receiver.url }, { stream, place });
  stream.appendPlugs(3);
  await reported('degraded', /cannot read the buffer: Redis is away/);
  await drained();
});
