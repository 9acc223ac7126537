import assert from 'node:assert/strict';
import test from 'node:test';
import { until } from '../support/until.ts';
import { openSse } from './sse-client.ts';
import { ask, memoryBuffer, startFixture, untilStalled } from './status-fixture.ts';

const numbers = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, n) => `1-${from + n}`);

test('a listener gets what is appended from now on, with id, type and the exact CloudEvent [S3]', async (t) => {
  const { server, buffer } = await startFixture(t);
  buffer.append(5);
  const client = await openSse(t, server.port);
  assert.equal(client.response.statusCode, 200);
  assert.equal(client.response.headers['content-type'], 'text/event-stream; charset=utf-8');
  buffer.append(2);
  const [first] = await client.received(2);
  assert.deepEqual(client.ids(), ['1-6', '1-7']);
  assert.equal(first?.event, 'usb.device.added');
  assert.equal((JSON.parse(first?.data ?? '') as { id: string }).id, '1-6');
});

test('a listener that comes back gets all it missed, by header or by query, the header first [S3]', async (t) => {
  const { server, buffer } = await startFixture(t);
  buffer.append(300);
  const byHeader = await openSse(t, server.port, { headers: { 'Last-Event-ID': '1-3' }, query: '?last=5' });
  await byHeader.received(297);
  assert.deepEqual(byHeader.ids(), numbers(4, 300));
  const byQuery = await openSse(t, server.port, { query: '?lastEventId=1-298' });
  await byQuery.received(2);
  buffer.append(1);
  await byQuery.received(3);
  assert.deepEqual(byQuery.ids(), numbers(299, 301));
});

test('?last=N begins with the newest N, however few are kept, and without names on demand [S3]', async (t) => {
  const { server, buffer } = await startFixture(t);
  buffer.append(20);
  buffer.trim(5);
  const five = await openSse(t, server.port, { query: '?last=10&unnamed' });
  await five.received(5);
  buffer.append(1);
  await five.received(6);
  assert.deepEqual(five.ids(), numbers(16, 21));
  assert.ok(
    five.messages.every(({ event }) => event === undefined),
    'no gap is told, none was asked to be bridged',
  );
});

test('a listener that missed more than is kept is told exactly what, and goes on [S3]', async (t) => {
  const { server, buffer } = await startFixture(t);
  buffer.append(100);
  buffer.trim(10);
  const client = await openSse(t, server.port, { headers: { 'Last-Event-ID': '1-40' } });
  const [notice] = await client.received(11);
  assert.equal(notice?.event, 'stream.notice');
  assert.equal(notice?.id, undefined);
  assert.match(notice?.data ?? '', /"code":"stream\.gap".*1-41 to 1-90/);
  assert.deepEqual(client.ids(), numbers(91, 100));
});

test('an id that is none, or that never was, is told once and the stream is live [S3]', async (t) => {
  const { server, buffer } = await startFixture(t);
  buffer.append(10);
  for (const [id, code] of [
    ['x', 'stream.malformed-id'],
    ['1-2-3', 'stream.malformed-id'],
    ['9'.repeat(2_000), 'stream.malformed-id'],
    ['1-9000', 'stream.unknown-id'],
    ['2-1', 'stream.unknown-id'],
  ] as const) {
    const client = await openSse(t, server.port, { headers: { 'Last-Event-ID': id } });
    buffer.append(1);
    const [notice, event] = await client.received(2);
    assert.match(notice?.data ?? '', new RegExp(`"code":"${code}"`));
    assert.equal(event?.event, 'usb.device.added');
    client.close();
    await until('the listener to be gone', () => client.response.closed);
  }
});

test('a new generation is told, and as a gap where its beginning is no longer kept [S3]', async (t) => {
  const { server, buffer } = await startFixture(t);
  buffer.append(2);
  const client = await openSse(t, server.port, { query: '?lastEventId=1-1' });
  await client.received(1);
  buffer.append(2, { generation: 29_920_320 });
  const [, notice1] = await client.received(4);
  assert.deepEqual(client.ids(), ['1-2', '29920320-1', '29920320-2']);
  assert.match(notice1?.data ?? '', /"stream\.new-generation".*29920320-1 follows 1-2/);
  buffer.append(3, { generation: 29_920_321 });
  buffer.trim(1);
  const late = await openSse(t, server.port, { query: '?lastEventId=1-2' });
  const [notice] = await late.received(2);
  assert.match(notice?.data ?? '', /"stream\.gap".*what followed 1-2 .*29920321-1 to 29920321-2/);
});

test('a listener of an appliance that has stored nothing yet misses nothing [S3]', async (t) => {
  const { server, buffer } = await startFixture(t);
  const client = await openSse(t, server.port);
  buffer.append(3);
  await client.received(3);
  assert.deepEqual(client.ids(), numbers(1, 3));
});

test('an event that is appended while the buffer is looked at is not overlooked [S3]', async (t) => {
  const buffer = memoryBuffer();
  buffer.append(1);
  const looking = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  const { server } = await startFixture(t, {
    ...buffer,
    async read(from, count) {
      const seen = await buffer.read(from, count);
      looking.resolve();
      await goOn.promise;
      return seen;
    },
  });
  const client = await openSse(t, server.port);
  await looking.promise;
  buffer.append(1);
  goOn.resolve();
  await client.received(1);
  assert.deepEqual(client.ids(), ['1-2']);
});

test('all that is appended while nobody knows yet where the store ends is sent [S3]', async (t) => {
  const buffer = memoryBuffer();
  const goOn = Promise.withResolvers<void>();
  const { server, metrics } = await startFixture(t, {
    ...buffer,
    read: (from, count) => goOn.promise.then(() => buffer.read(from, count)),
  });
  const client = await openSse(t, server.port);
  await until('the listener', () => metrics.total('status.sseClients') === 1);
  buffer.append(200);
  buffer.append(200);
  goOn.resolve();
  await client.received(400);
  assert.deepEqual(client.ids(), numbers(1, 400));
});

test('an id that turns out to be beyond the store is told with the first event [S3]', async (t) => {
  const { server, buffer } = await startFixture(t);
  const client = await openSse(t, server.port, { headers: { 'Last-Event-ID': '9-1' } });
  buffer.append(2);
  const [notice] = await client.received(3);
  assert.match(notice?.data ?? '', /"stream\.unknown-id".*9-1 is not in the buffer, whose last is 1-2/);
  assert.deepEqual(client.ids(), numbers(1, 2));
});

test('a slow listener holds one batch, not the backlog, and still gets every event [S3]', async (t) => {
  const { server, buffer } = await startFixture(t);
  const count = 4_000;
  buffer.append(count, { padding: 4_000 });
  const slow = await openSse(t, server.port, { query: '?lastEventId=1-0', paused: true });
  // Sockets take some MB; far from the 16 MB there are.
  await untilStalled(server.port, buffer);
  const stalled = buffer.reads.count;
  assert.ok(stalled * 50 < count, `${stalled} batches were read for a listener that takes none`);
  const other = await openSse(t, server.port, { query: '?last=1' });
  await other.received(1);
  let received = 0;
  let tail = '';
  slow.response.on('data', (chunk: string) => {
    // Only the end can be cut in the middle of what is counted.
    const parts = (tail + chunk).split('id: 1-');
    received += parts.length - 1;
    tail = parts.at(-1)?.slice(-5) ?? '';
  });
  await until('all events', () => received >= count);
  assert.equal(received, count);
});

test('listeners at the same place share one read [S3]', async (t) => {
  const { server, buffer } = await startFixture(t, { status: { sseClients: 30 } });
  buffer.append(1);
  const clients = await Promise.all(Array.from({ length: 30 }, () => openSse(t, server.port)));
  await until('all to have looked', async () => {
    const before = buffer.reads.count;
    await ask(server.port, '/ready');
    return before === buffer.reads.count;
  });
  const before = buffer.reads.count;
  buffer.append(1);
  await Promise.all(clients.map((client) => client.received(1)));
  assert.ok(buffer.reads.count - before < 15, `${buffer.reads.count - before} reads for 30 listeners`);
});

test('one listener more than allowed is refused with 503 until another leaves [S3]', async (t) => {
  const { server, buffer, metrics } = await startFixture(t, { status: { sseClients: 2 } });
  const [first] = [await openSse(t, server.port), await openSse(t, server.port)];
  assert.equal(metrics.total('status.sseClients'), 2);
  const refused = await ask(server.port, '/api/v1/events');
  assert.equal(refused.status, 503);
  assert.equal(refused.headers['retry-after'], '10');
  assert.match(refused.body, /"status\.too-many-streams"/);
  const head = await ask(server.port, '/api/v1/events', { method: 'HEAD' });
  assert.equal(head.status, 200, 'asking for the headers opens no stream');
  first?.close();
  await until('the place to be free', () => metrics.total('status.sseClients') === 1);
  const next = await openSse(t, server.port);
  buffer.append(1);
  await next.received(1);
});

test('a buffer that cannot be read is told once, and the stream goes on by itself [S3]', async (t) => {
  const { server, buffer, log } = await startFixture(t);
  buffer.append(1);
  const client = await openSse(t, server.port);
  buffer.reads.failWith = new Error('Redis is away');
  buffer.append(1);
  const [notice] = await client.received(1);
  assert.match(notice?.data ?? '', /"stream\.buffer-away".*Redis is away/);
  buffer.append(1);
  await until('the second failure', () => log.lines.length >= 2);
  buffer.reads.failWith = null;
  buffer.append(1);
  await client.received(4);
  assert.deepEqual(client.ids(), numbers(2, 4));
  assert.equal(client.messages.filter(({ event }) => event === 'stream.notice').length, 1);
});
