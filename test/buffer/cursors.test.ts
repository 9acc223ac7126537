import assert from 'node:assert/strict';
import test from 'node:test';
import { StoreView } from '../../src/buffer/store-view.ts';
import { isToTrim, oldestKept } from '../../src/buffer/trim-events.ts';
import { START } from '../../src/contracts/event.ts';
import { startRedis } from '../support/redis.ts';
import { until } from '../support/until.ts';
import { adminClient, atStart, drafts, idsOf, openTestBuffer } from './open-test-buffer.ts';

test('a new cursor begins before the first event, moves forward only, and survives a restart [B2]', async (t) => {
  const { socket } = await startRedis(t);
  const first = await openTestBuffer(t, { redisSocket: socket });
  await first.append(drafts(9));
  const cursor = await first.openConsumer('uplink', atStart);
  assert.deepEqual(cursor.position, START);
  cursor.acknowledge(first.at(6));
  cursor.acknowledge(first.at(4));
  assert.deepEqual(cursor.position, first.at(6));
  assert.equal(first.depth().depth, 4);
  await first.stop();
  const second = await openTestBuffer(t, { redisSocket: socket });
  assert.deepEqual((await second.openConsumer('uplink', atStart)).position, first.at(6));
  assert.equal(second.depth().depth, 4);
});

test('cursors are written in batches while it runs, each burst once [B2]', async (t) => {
  const { socket } = await startRedis(t);
  const admin = adminClient(t, socket);
  const buffer = await openTestBuffer(t, { redisSocket: socket });
  await buffer.append(drafts(500));
  const cursor = await buffer.openConsumer('uplink', atStart);
  await until('the new cursor is written', async () => (await admin.hget('aw:cursors', 'uplink')) === '0-0');
  await admin.config('RESETSTAT');
  for (let number = 1; number <= 501; number += 1) cursor.acknowledge(buffer.at(number));
  const end = `${buffer.generation}-501`;
  await until('the cursor is written', async () => (await admin.hget('aw:cursors', 'uplink')) === end);
  const stats = await admin.info('commandstats');
  assert.match(stats, /cmdstat_hset:calls=1,/);
});

test('nothing is trimmed beyond the slowest cursor, and some acknowledged events stay for the page [B2]', async (t) => {
  const { socket } = await startRedis(t);
  const admin = adminClient(t, socket);
  const buffer = await openTestBuffer(t, { redisSocket: socket, keepEvents: 50, batchEvents: 500 });
  await buffer.append(drafts(2_999));
  const [fast, slow] = [
    await buffer.openConsumer('fast', atStart),
    await buffer.openConsumer('slow', atStart),
  ];
  fast.acknowledge(buffer.at(3_000));
  slow.acknowledge(buffer.at(1_000));
  const oldest = async () =>
    Number((await admin.xrange('aw:events', '-', '+', 'COUNT', 1))[0]?.[0].split('-')[1]);
  // The stream loses whole nodes of up to 100 entries.
  await until('trimmed up to the slow one', async () => (await oldest()) > 1_000 - 50 - 100);
  assert.ok((await oldest()) <= 951, `oldest is ${await oldest()}`);
  assert.equal(buffer.depth().depth, 2_000);
  assert.equal((await buffer.read(slow.position, 5_000)).events.length, 2_000);
  slow.acknowledge(buffer.at(3_000));
  await until('trimmed up to the kept ones', async () => (await oldest()) > 3_000 - 50 - 100);
  assert.ok((await admin.xlen('aw:events')) >= 50);
  await buffer.stop();
  // A consumer that comes later has only to wait for what is still there.
  const again = await openTestBuffer(t, { redisSocket: socket, keepEvents: 50 });
  const late = await again.openConsumer('late', atStart);
  assert.deepEqual(late.position, START);
  assert.equal(again.depth().depth, await admin.xlen('aw:events'));
});

test('without kept events only what is acknowledged by all is trimmed, and nothing after it [B2]', async (t) => {
  const { socket } = await startRedis(t);
  const admin = adminClient(t, socket);
  const buffer = await openTestBuffer(t, { redisSocket: socket, keepEvents: 0, batchEvents: 500 });
  await buffer.append(drafts(2_999));
  const [fast, slow] = [
    await buffer.openConsumer('fast', atStart),
    await buffer.openConsumer('slow', atStart),
  ];
  fast.acknowledge(buffer.at(3_000));
  slow.acknowledge(buffer.at(2_500));
  const left = () => admin.xlen('aw:events');
  // Whole nodes of up to 100 entries go.
  await until('what all have read is trimmed', async () => (await left()) < 600);
  await buffer.stop();
  const { events } = await (await openTestBuffer(t, { redisSocket: socket })).read(slow.position, 1_000);
  assert.deepEqual(
    events.map(({ id }) => id.number),
    Array.from({ length: 500 }, (_, index) => 2_501 + index),
  );
});

for (const [slowest, keep, kept] of [
  [2_500, 0, 2_501],
  [2_500, 1, 2_500],
  [2_500, 500, 2_001],
  [1, 0, 2],
  [0, 0, null],
  [0, 500, null],
  [400, 500, null],
] as const)
  test(`with ${keep} kept events and all read up to ${slowest}, the oldest that stays is ${kept ?? 'what there is'} [B2]`, () => {
    const view = new StoreView();
    const at = (number: number) => ({ generation: 7, number });
    view.see({ last: at(3_000), floor: at(0), ends: new Map([[7, 3_000]]), state: {} });
    const oldest = oldestKept(at(slowest), keep, view.ends);
    assert.deepEqual(isToTrim(oldest, view) ? oldest : null, kept === null ? null : at(kept));
  });

test('cursors of a store with several generations order by generation first [B2]', async (t) => {
  const redis = await startRedis(t);
  const admin = adminClient(t, redis.socket);
  await admin.xadd('aw:events', '1-70', 'e', '{}', 'c', '0');
  await admin.hset('aw:cursors', 'uplink', '1-60', 'broken', 'x');
  const buffer = await openTestBuffer(t, { redisSocket: redis.socket });
  await buffer.append(drafts(2));
  const cursor = await buffer.openConsumer('uplink', atStart);
  const g = buffer.generation;
  assert.ok(g > 1);
  assert.deepEqual(idsOf((await buffer.read(cursor.position, 10)).events), [`${g}-1`, `${g}-2`, `${g}-3`]);
  cursor.acknowledge(buffer.at(1));
  cursor.acknowledge({ generation: 1, number: 70 });
  assert.deepEqual(cursor.position, buffer.at(1));
  assert.ok(buffer.log.lines.some(({ message }) => message.includes('a cursor is damaged')));
});
