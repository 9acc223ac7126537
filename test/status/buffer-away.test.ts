// The live stream over the real buffer, whose Redis goes away and comes back.
import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { ServerResponse } from 'node:http';
import test, { type TestContext } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { formatEventId } from '../../src/contracts/event.ts';
import { drafts, openTestBuffer } from '../buffer/open-test-buffer.ts';
import { startRedis, type TestRedis, type TestRedisOptions } from '../support/redis.ts';
import { until } from '../support/until.ts';
import { openSse, type SseClient } from './sse-client.ts';
import { startFixture } from './status-fixture.ts';

async function start(t: TestContext, options: TestRedisOptions = {}) {
  const redis = await startRedis(t, options);
  return { redis, ...(await serve(t, redis)) };
}

async function serve(t: TestContext, redis: TestRedis) {
  const buffer = await openTestBuffer(t, { redisSocket: redis.socket });
  const pending = { now: 0, most: 0, begun: 0 };
  const { server, metrics } = await startFixture(t, {
    read(from, count) {
      pending.now += 1;
      pending.begun += 1;
      pending.most = Math.max(pending.most, pending.now);
      return buffer.read(from, count).finally(() => {
        pending.now -= 1;
      });
    },
    lastId: () => buffer.depth().lastId,
    onAppended: buffer.onAppended,
    status: { sseClients: 40 },
    limits: { bufferAwayMs: 100, heartbeatMs: 100 },
  });
  return { buffer, server, metrics, pending };
}

const notices = ({ messages }: SseClient) =>
  messages.flatMap(({ event, data = '' }) =>
    event === 'stream.notice' ? [(JSON.parse(data) as { code: string }).code] : [],
  );
const isTold = (client: SseClient) =>
  until('the notice that the buffer is away', () => notices(client).includes('stream.buffer-away'));

test('every listener is told once that Redis is away, and gets all events once it is back [S3]', async (t) => {
  const { redis, buffer, server } = await start(t);
  const first = (await buffer.append(drafts(5))).map(formatEventId);
  const before = await openSse(t, server.port);
  await redis.stop();
  const resumed = await openSse(t, server.port, { query: `?lastEventId=${first[2]}` });
  await isTold(before);
  await isTold(resumed);
  const appended = buffer.append(drafts(2, 5));
  await redis.start();
  const later = (await appended).map(formatEventId);
  await until('the events', () => before.ids().length === 2 && resumed.ids().length === 4);
  assert.deepEqual(before.ids(), later);
  assert.deepEqual(resumed.ids(), [...first.slice(3), ...later]);
  assert.deepEqual(notices(before), ['stream.buffer-away']);
  assert.deepEqual(notices(resumed), ['stream.buffer-away']);

  await redis.stop();
  await until('the second notice', () => notices(before).length === 2);
});

test('an appliance whose Redis is away at the start checks what a listener asked for once it knows [S3]', async (t) => {
  const { redis, buffer, server } = await start(t, { started: false });
  const beyondAll = `${Number.MAX_SAFE_INTEGER}-1`;
  const beyond = await openSse(t, server.port, { query: `?lastEventId=${beyondAll}` });
  const live = await openSse(t, server.port);
  await isTold(beyond);
  await isTold(live);
  const appended = buffer.append(drafts(2));
  await redis.start();
  const stored = (await appended).map(formatEventId);
  const hasAll = ({ ids }: SseClient) => stored.every((id) => ids().includes(id));
  await until('the events', () => hasAll(beyond) && hasAll(live));
  // A slow first read is told as away once more.
  assert.deepEqual([...new Set(notices(beyond))], ['stream.buffer-away', 'stream.unknown-id']);
  assert.deepEqual([...new Set(notices(live))], ['stream.buffer-away']);
  const [told] = beyond.messages.filter(({ data }) => data?.includes('stream.unknown-id'));
  assert.match(told?.data ?? '', new RegExp(`${beyondAll} is not in the buffer`));
});

test('a listener of an appliance whose Redis comes late gets what it missed, also when nothing is appended [S3]', async (t) => {
  const { redis, buffer: first } = await start(t);
  const stored = (await first.append(drafts(5))).map(formatEventId);
  await first.stop();
  await redis.stop();
  const { server } = await serve(t, redis);
  const resumed = await openSse(t, server.port, { query: `?lastEventId=${stored[1]}` });
  const newest = await openSse(t, server.port, { query: '?last=2' });
  await isTold(resumed);
  await redis.start();
  await until('the events', () => resumed.ids().length === 3 && newest.ids().length >= 2);
  assert.deepEqual(resumed.ids(), stored.slice(2));
  assert.deepEqual(newest.ids().slice(-2), stored.slice(3));
});

test('listeners that leave while Redis is away leave nothing behind, wherever they stood [S3]', async (t) => {
  const { redis, buffer, server, metrics, pending } = await start(t);
  const stored = (await buffer.append(drafts(60))).map(formatEventId);
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const responses: WeakRef<ServerResponse>[] = [];
  const note = (message: unknown) =>
    void responses.push(new WeakRef((message as { readonly response: ServerResponse }).response));
  await redis.stop();
  subscribe('http.server.request.start', note);
  t.after(() => unsubscribe('http.server.request.start', note));
  for (let n = 0; n < 60; n++) {
    const client = await openSse(t, server.port, { query: n % 2 === 0 ? '' : `?lastEventId=${stored[n]}` });
    if (n % 20 === 1) await isTold(client);
    client.close();
  }
  await until('all to have left', () => metrics.total('status.sseClients') === 0);
  assert.equal(responses.length, 60);
  const left = await until('what they held to be freed', () => {
    collect();
    const count = responses.filter((response) => response.deref() !== undefined).length;
    // The last connection may still be at hand in the server.
    return count <= 1 && { count };
  });
  assert.ok(left.count <= 1);
  assert.ok(pending.most <= 8, `${pending.most} reads were pending at once`);

  const { begun } = pending;
  await redis.start();
  const after = await openSse(t, server.port, { query: `?lastEventId=${stored[57]}` });
  await until('the stream to go on', () => after.ids().length === 2);
  // The listener itself reads, also at each heartbeat; 30 places were asked for by those who left.
  assert.ok(pending.begun - begun < 18, `${pending.begun - begun} reads were begun for nobody`);
  await until('no read to be left', () => pending.now === 0);
});
