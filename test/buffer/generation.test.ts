import assert from 'node:assert/strict';
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import { parseMarkFile, SLOT_BYTES } from '../../src/buffer/mark-slots.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { adminClient, draft, drafts, idsOf, openTestBuffer, untilHealth } from './open-test-buffer.ts';

const generationData = (json: string | undefined) => (JSON.parse(json ?? 'null') as { data: unknown }).data;
const markOf = (redis: TestRedis) => path.join(path.dirname(redis.socket), 'buffer-mark');

test('a store that was emptied between two runs begins generation 2 with what is missing [B1]', async (t) => {
  const redis = await startRedis(t);
  const before = await openTestBuffer(t, { redisSocket: redis.socket });
  await before.append(drafts(10));
  await before.mayPublish({ generation: 1, number: 7 });
  await before.stop();
  await adminClient(t, redis.socket).flushall();
  const after = await openTestBuffer(t, { redisSocket: redis.socket });
  assert.deepEqual(await after.append([draft(0)]), [{ generation: 2, number: 2 }]);
  const [first] = await after.all();
  assert.deepEqual(generationData(first?.json), {
    why: 'the store is empty: it was lost or replaced',
    previousGeneration: 1,
    previousNumber: 0,
    publishedNumber: 10,
  });
});

test('a store that comes back empty during the run gets a new generation, the state and the cursors again [B1]', async (t) => {
  const redis = await startRedis(t);
  const buffer = await openTestBuffer(t, { redisSocket: redis.socket });
  await buffer.append(drafts(4), { devices: 'all', gone: 'x' });
  await buffer.append([], { gone: null });
  const cursor = await buffer.openCursor('uplink');
  cursor.acknowledge({ generation: 1, number: 3 });
  await redis.kill();
  const waiting = buffer.append([draft(4)], { more: '1' });
  await rm(redis.dir, { recursive: true });
  await redis.start();
  assert.deepEqual(await waiting, [{ generation: 2, number: 2 }]);
  assert.deepEqual(await buffer.readState(), { devices: 'all', more: '1' });
  const events = await buffer.all();
  assert.deepEqual(idsOf(events), ['2-1', '2-2']);
  assert.deepEqual(buffer.depth(), { lastId: { generation: 2, number: 2 }, depth: 2, queued: 0 });
  await buffer.stop();
  assert.equal(await adminClient(t, redis.socket).hget('aw:cursors', 'uplink'), '1-3');
});

test('a store that was rolled back to an older copy of its log begins a new generation [B1]', async (t) => {
  const redis = await startRedis(t);
  const buffer = await openTestBuffer(t, { redisSocket: redis.socket });
  await buffer.append(drafts(5));
  await redis.stop();
  const copy = `${redis.dir}-copy`;
  await cp(redis.dir, copy, { recursive: true });
  await redis.start();
  await buffer.append(drafts(5, 5));
  await buffer.mayPublish({ generation: 1, number: 10 });
  await redis.stop();
  await rm(redis.dir, { recursive: true });
  await cp(copy, redis.dir, { recursive: true });
  await redis.start();
  assert.deepEqual(await buffer.append([draft(10)]), [{ generation: 2, number: 2 }]);
  const events = await buffer.all();
  assert.deepEqual(idsOf(events), ['1-1', '1-2', '1-3', '1-4', '1-5', '2-1', '2-2']);
  assert.deepEqual(generationData(events[5]?.json), {
    why: 'the store is behind what was acknowledged: it was rolled back or restored',
    previousGeneration: 1,
    previousNumber: 5,
    publishedNumber: 10,
  });
  await rm(copy, { recursive: true });
});

test('a new run over a store rolled back behind what was published begins a new generation [B1]', async (t) => {
  const redis = await startRedis(t);
  const before = await openTestBuffer(t, { redisSocket: redis.socket });
  await before.append(drafts(5));
  await before.mayPublish({ generation: 1, number: 5 });
  await before.stop();
  const admin = adminClient(t, redis.socket);
  await admin.del('aw:events');
  await admin.xadd('aw:events', '1-4', 'e', '{}', 'c', '0');
  const after = await openTestBuffer(t, { redisSocket: redis.socket });
  assert.deepEqual(await after.append([draft(0)]), [{ generation: 2, number: 2 }]);
});

test('a restart over a whole store goes on with the same generation, published or not [B1]', async (t) => {
  const redis = await startRedis(t);
  for (let run = 0; run < 3; run += 1) {
    const buffer = await openTestBuffer(t, { redisSocket: redis.socket });
    assert.deepEqual(await buffer.append([draft(run)]), [{ generation: 1, number: run + 1 }]);
    if (run === 1) await buffer.mayPublish({ generation: 1, number: 2 });
    await buffer.stop();
  }
});

test('a missing mark file over a full store, and a damaged one, begin generations that were never used [B1]', async (t) => {
  const redis = await startRedis(t);
  const first = await openTestBuffer(t, { redisSocket: redis.socket });
  await first.append(drafts(2));
  await first.stop();
  await rm(markOf(redis));
  const second = await openTestBuffer(t, { redisSocket: redis.socket });
  assert.deepEqual(await second.append([draft(2)]), [{ generation: 2, number: 2 }]);
  await second.stop();
  await writeFile(markOf(redis), (await readFile(markOf(redis))).fill('x'));
  const third = await openTestBuffer(t, { redisSocket: redis.socket });
  const minutes = Math.floor(third.clock.wallMs / 60_000);
  assert.deepEqual(await third.append([draft(3)]), [{ generation: minutes, number: 2 }]);
  await third.stop();
  const fourth = await openTestBuffer(t, { redisSocket: redis.socket });
  assert.deepEqual(await fourth.append([draft(4)]), [{ generation: minutes, number: 3 }]);
});

test('a mark file whose last write was torn goes on with the slot before it [B1]', async (t) => {
  const redis = await startRedis(t);
  const before = await openTestBuffer(t, { redisSocket: redis.socket });
  await before.append(drafts(5));
  await before.mayPublish({ generation: 1, number: 5 });
  await before.stop();
  const bytes = await readFile(markOf(redis));
  const { mark } = parseMarkFile(bytes);
  assert.deepEqual(mark, { seq: 2, generation: 1, published: 5 });
  bytes.fill(0, 30, SLOT_BYTES);
  await writeFile(markOf(redis), bytes);
  assert.deepEqual(parseMarkFile(bytes).mark, { seq: 1, generation: 1, published: 0 });
  const after = await openTestBuffer(t, { redisSocket: redis.socket });
  assert.deepEqual(await after.append([draft(5)]), [{ generation: 1, number: 6 }]);
});

test('the mark is written before anything is published, once for many that ask together [B1]', async (t) => {
  const redis = await startRedis(t);
  const buffer = await openTestBuffer(t, { redisSocket: redis.socket });
  const ids = await buffer.append(drafts(100));
  await Promise.all(ids.map((id) => buffer.mayPublish(id)));
  const { mark } = parseMarkFile(await readFile(markOf(redis)));
  assert.deepEqual(mark, { seq: 2, generation: 1, published: 100 });
  const [next] = await buffer.append([draft(100)]);
  assert.ok(next !== undefined);
  await buffer.mayPublish(next);
  assert.equal(parseMarkFile(await readFile(markOf(redis))).mark?.published, 101);
});

test('while the mark file cannot be written nothing may be published, and events are stored all the same [B1]', async (t) => {
  const redis = await startRedis(t);
  const before = await openTestBuffer(t, { redisSocket: redis.socket });
  await before.append(drafts(2));
  await before.mayPublish({ generation: 1, number: 2 });
  await before.stop();
  const buffer = await openTestBuffer(t, { redisSocket: redis.socket });
  assert.deepEqual(await buffer.append([draft(2)]), [{ generation: 1, number: 3 }]);
  // A folder in its place: also root cannot write that.
  const bytes = await readFile(markOf(redis));
  await rm(markOf(redis));
  await cp(redis.dir, markOf(redis), { recursive: true });
  let may = false;
  const allowed = buffer.mayPublish({ generation: 1, number: 3 }).then(() => {
    may = true;
  });
  await untilHealth(buffer, 'down', /cannot write the mark file .*EISDIR/);
  assert.deepEqual(await buffer.append([draft(3)]), [{ generation: 1, number: 4 }]);
  assert.equal(may, false);
  await rm(markOf(redis), { recursive: true });
  await writeFile(markOf(redis), bytes);
  await allowed;
  await untilHealth(buffer, 'ok');
});
