import assert from 'node:assert/strict';
import test from 'node:test';
import { START } from '../../src/contracts/event.ts';
import { startRedis } from '../support/redis.ts';
import { until } from '../support/until.ts';
import { adminClient, drafts, idsOf, openTestBuffer } from './open-test-buffer.ts';

const at = (number: number) => ({ generation: 1, number });

test('a new cursor begins before the first event, moves forward only, and survives a restart [B2]', async (t) => {
  const { socket } = await startRedis(t);
  const first = await openTestBuffer(t, { redisSocket: socket });
  await first.append(drafts(9));
  const cursor = await first.openCursor('uplink');
  assert.deepEqual(cursor.position, START);
  cursor.acknowledge(at(5));
  cursor.acknowledge(at(3));
  assert.deepEqual(cursor.position, at(5));
  assert.equal(first.depth().depth, 4);
  await first.stop();
  const second = await openTestBuffer(t, { redisSocket: socket });
  assert.deepEqual((await second.openCursor('uplink')).position, at(5));
  assert.equal(second.depth().depth, 4);
});

test('cursors are written in batches while it runs, each burst once [B2]', async (t) => {
  const { socket } = await startRedis(t);
  const admin = adminClient(t, socket);
  const buffer = await openTestBuffer(t, { redisSocket: socket });
  await buffer.append(drafts(500));
  const cursor = await buffer.openCursor('uplink');
  await until('the new cursor is written', async () => (await admin.hget('aw:cursors', 'uplink')) === '0-0');
  await admin.config('RESETSTAT');
  for (let number = 1; number <= 500; number += 1) cursor.acknowledge(at(number));
  await until('the cursor is written', async () => (await admin.hget('aw:cursors', 'uplink')) === '1-500');
  const stats = await admin.info('commandstats');
  assert.match(stats, /cmdstat_hset:calls=1,/);
});

test('nothing is trimmed beyond the slowest cursor, and some acknowledged events stay for the page [B2]', async (t) => {
  const { socket } = await startRedis(t);
  const admin = adminClient(t, socket);
  const buffer = await openTestBuffer(t, { redisSocket: socket, keepEvents: 50, batchEvents: 500 });
  await buffer.append(drafts(3_000));
  const [fast, slow] = [await buffer.openCursor('fast'), await buffer.openCursor('slow')];
  fast.acknowledge(at(3_000));
  slow.acknowledge(at(1_000));
  const oldest = async () =>
    Number((await admin.xrange('aw:events', '-', '+', 'COUNT', 1))[0]?.[0].split('-')[1]);
  // The stream loses whole nodes of up to 100 entries.
  await until('trimmed up to the slow one', async () => (await oldest()) > 1_000 - 50 - 100);
  assert.ok((await oldest()) <= 951, `oldest is ${await oldest()}`);
  assert.equal(buffer.depth().depth, 2_000);
  assert.equal((await buffer.read(slow.position, 5_000)).events.length, 2_000);
  slow.acknowledge(at(3_000));
  await until('trimmed up to the kept ones', async () => (await oldest()) > 3_000 - 50 - 100);
  assert.ok((await admin.xlen('aw:events')) >= 50);
  await buffer.stop();
  // A consumer that comes later has only to wait for what is still there.
  const again = await openTestBuffer(t, { redisSocket: socket, keepEvents: 50 });
  const late = await again.openCursor('late');
  assert.deepEqual(late.position, START);
  assert.equal(again.depth().depth, await admin.xlen('aw:events'));
});

test('cursors of a store with several generations order by generation first [B2]', async (t) => {
  const redis = await startRedis(t);
  const admin = adminClient(t, redis.socket);
  await admin.xadd('aw:events', '1-70', 'e', '{}', 'c', '0');
  await admin.hset('aw:cursors', 'uplink', '1-60', 'broken', 'x');
  const buffer = await openTestBuffer(t, { redisSocket: redis.socket });
  await buffer.append(drafts(2));
  const cursor = await buffer.openCursor('uplink');
  assert.deepEqual(idsOf((await buffer.read(cursor.position, 10)).events), ['2-1', '2-2', '2-3']);
  cursor.acknowledge({ generation: 2, number: 1 });
  cursor.acknowledge(at(70));
  assert.deepEqual(cursor.position, { generation: 2, number: 1 });
  assert.ok(buffer.log.lines.some(({ message }) => message.includes('a cursor is damaged')));
});
