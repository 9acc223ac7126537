import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import { type Mark, parseMarkFile, SLOT_BYTES } from '../../src/buffer/mark-slots.ts';
import { formatEventId, START } from '../../src/contracts/event.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { until } from '../support/until.ts';
import { startFaultyProxy } from './faulty-proxy.ts';
import {
  adminClient,
  atStart,
  draft,
  drafts,
  idsOf,
  namesOf,
  openTestBuffer,
  sealForTest,
  untilHealth,
} from './open-test-buffer.ts';

const generationData = (json: string | undefined) => (JSON.parse(json ?? 'null') as { data: unknown }).data;
const markOf = (redis: TestRedis) => path.join(path.dirname(redis.socket), 'buffer-mark');
async function markIn(redis: TestRedis): Promise<Mark> {
  const { mark } = parseMarkFile(await readFile(markOf(redis)));
  assert.ok(mark !== null, 'no slot of the mark file can be read');
  return mark;
}

test('a store that was emptied between two runs begins the next generation with what is missing [B1]', async (t) => {
  const redis = await startRedis(t);
  const before = await openTestBuffer(t, { redisSocket: redis.socket });
  await before.append(drafts(10));
  await before.mayPublish(before.at(7));
  await before.stop();
  await adminClient(t, redis.socket).flushall();
  const after = await openTestBuffer(t, { redisSocket: redis.socket });
  assert.deepEqual(await after.append([draft(0)]), [{ generation: before.generation + 1, number: 2 }]);
  const [first] = await after.all();
  assert.deepEqual(generationData(first?.json), {
    why: 'the store is empty: it was lost or replaced',
    previousGeneration: before.generation,
    previousNumber: 0,
    publishedNumber: 11,
  });
});

test('a store that comes back empty during the run gets a new generation, the state and the cursors again [B1]', async (t) => {
  const redis = await startRedis(t);
  const buffer = await openTestBuffer(t, { redisSocket: redis.socket });
  await buffer.append(drafts(4), { devices: 'all', gone: 'x' });
  await buffer.append([], { gone: null });
  const cursor = await buffer.openConsumer('uplink', atStart);
  const g = buffer.generation;
  cursor.acknowledge(buffer.at(3));
  await redis.kill();
  const waiting = buffer.append([draft(4)], { more: '1' });
  await rm(redis.dir, { recursive: true });
  await redis.start();
  assert.deepEqual(await waiting, [{ generation: g + 1, number: 2 }]);
  assert.deepEqual(await buffer.readState(), { devices: 'all', more: '1' });
  const events = await buffer.all();
  assert.deepEqual(idsOf(events), [`${g + 1}-1`, `${g + 1}-2`]);
  assert.deepEqual(buffer.depth(), { lastId: buffer.at(2), depth: 2, queued: 0 });
  await buffer.stop();
  assert.equal(await adminClient(t, redis.socket).hget('aw:cursors', 'uplink'), `${g}-3`);
});

test('a store that is lost with a batch on its way and another made ready gets both under new ids, in order [B1]', async (t) => {
  const redis = await startRedis(t);
  const proxy = await startFaultyProxy(t, redis.socket);
  const buffer = await openTestBuffer(t, {
    redisSocket: proxy.socket,
    batchEvents: 4,
    markFile: markOf(redis),
  });
  await buffer.append(drafts(1));
  const g = buffer.generation;
  proxy.holdRequest('"n5"');
  const calls = drafts(40, 1).map((one) => buffer.append([one]));
  await until('the batch is on its way', () => proxy.faults === 1);
  await redis.kill();
  await rm(redis.dir, { recursive: true });
  await redis.start();
  const ids = (await Promise.all(calls)).flat().filter(({ generation }) => generation > g);
  assert.ok(ids.length >= 36);
  assert.deepEqual(
    ids,
    ids.map((_, index) => ({ generation: g + 1, number: index + 2 })),
  );
  assert.deepEqual(namesOf(await buffer.all()), [
    'buffer.generation',
    ...ids.map((_, index) => `n${41 - ids.length + index}`),
  ]);
  assert.ok(!buffer.log.lines.some(({ message }) => message.includes('another process writes')));
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
  const g = buffer.generation;
  await buffer.mayPublish(buffer.at(11));
  await redis.stop();
  await rm(redis.dir, { recursive: true });
  await cp(copy, redis.dir, { recursive: true });
  await redis.start();
  assert.deepEqual(await buffer.append([draft(10)]), [{ generation: g + 1, number: 2 }]);
  const events = await buffer.all();
  const kept = [2, 3, 4, 5, 6].map((number) => `${g}-${number}`);
  assert.deepEqual(idsOf(events), [...kept, `${g + 1}-1`, `${g + 1}-2`]);
  assert.deepEqual(generationData(events[5]?.json), {
    why: 'the store is behind what was acknowledged: it was rolled back or restored',
    previousGeneration: g,
    previousNumber: 6,
    publishedNumber: 11,
  });
  await rm(copy, { recursive: true });
});

test('a new run over a store rolled back behind what was published begins a new generation [B1]', async (t) => {
  const redis = await startRedis(t);
  const before = await openTestBuffer(t, { redisSocket: redis.socket });
  await before.append(drafts(5));
  await before.mayPublish(before.at(6));
  await before.stop();
  const admin = adminClient(t, redis.socket);
  await admin.del('aw:events');
  await admin.xadd('aw:events', formatEventId(before.at(5)), 'e', '{}', 'c', '0');
  const after = await openTestBuffer(t, { redisSocket: redis.socket });
  assert.deepEqual(await after.append([draft(0)]), [{ generation: before.generation + 1, number: 2 }]);
});

test('a restart over a whole store goes on with the same generation, published or not [B1]', async (t) => {
  const redis = await startRedis(t);
  const generations = new Set<number>();
  for (let run = 0; run < 3; run += 1) {
    const buffer = await openTestBuffer(t, { redisSocket: redis.socket });
    assert.deepEqual(await buffer.append([draft(run)]), [buffer.at(run + 2)]);
    if (run === 1) await buffer.mayPublish(buffer.at(3));
    generations.add(buffer.generation);
    await buffer.stop();
  }
  assert.equal(generations.size, 1);
});

test('a missing mark file over a full store, and a damaged one, begin generations that were never used [B1]', async (t) => {
  const redis = await startRedis(t);
  const clock = fakeClock();
  const open = () => openTestBuffer(t, { redisSocket: redis.socket, clock });
  const first = await open();
  await first.append(drafts(2));
  await first.stop();
  await rm(markOf(redis));
  const second = await open();
  assert.deepEqual(await second.append([draft(2)]), [{ generation: first.generation + 1, number: 2 }]);
  await second.stop();
  clock.advance(3_600_000);
  await writeFile(markOf(redis), (await readFile(markOf(redis))).fill('x'));
  const third = await open();
  const minutes = Math.floor(clock.wallMs / 60_000);
  assert.deepEqual(await third.append([draft(3)]), [{ generation: minutes, number: 2 }]);
  await third.stop();
  const fourth = await open();
  assert.deepEqual(await fourth.append([draft(4)]), [{ generation: minutes, number: 3 }]);
});

test('a mark file that cannot be read for good is put aside, and a generation begins that was never used [B1]', async (t) => {
  const redis = await startRedis(t);
  const first = await openTestBuffer(t, { redisSocket: redis.socket });
  await first.append(drafts(2));
  await first.stop();
  // A folder in its place: also root cannot read that.
  await rm(markOf(redis));
  await cp(redis.dir, markOf(redis), { recursive: true });
  const second = await openTestBuffer(t, { redisSocket: redis.socket });
  const appended = second.append([draft(2)]);
  await untilHealth(second, 'down', /cannot read the mark file .*EISDIR/);
  assert.deepEqual(await appended, [{ generation: first.generation + 1, number: 2 }]);
  await second.mayPublish(second.at(2));
  assert.equal((await markIn(redis)).published, 2);
  await untilHealth(second, 'ok');
  const note = (await second.all()).find(({ type }) => type === 'buffer.generation');
  assert.match(note?.json ?? '', /the mark file is damaged/);
});

test('an appliance that lost store and mark repeats no id, whether its clock is set or not [B1]', async (t) => {
  const redis = await startRedis(t);
  const clock = fakeClock();
  const drawn = [7_000_000, 3];
  const random = () => drawn.shift() ?? assert.fail('drawn too often');
  const seen = new Set<string>();
  for (const setTo of [clock.wallMs, clock.wallMs + 86_400_000, 0, 0]) {
    clock.wallMs = setTo;
    const buffer = await openTestBuffer(t, { redisSocket: redis.socket, clock, random });
    await buffer.append(drafts(3));
    const { events } = await buffer.read(START, 10);
    assert.deepEqual(generationData(events[0]?.json), {
      why: 'no earlier state was found: a new appliance, or its data was lost',
      previousGeneration: 0,
      previousNumber: 0,
      publishedNumber: 0,
    });
    assert.equal(events.length, 4);
    for (const id of idsOf(events)) {
      assert.ok(!seen.has(id), `${id} was given twice`);
      seen.add(id);
    }
    await buffer.stop();
    await rm(markOf(redis));
    await adminClient(t, redis.socket).flushall();
  }
});

for (const ending of ['an orderly stop', 'a kill'] as const)
  test(`a store that was lost before anything of it was published is told, and its ids are not used again, after ${ending} [B1]`, async (t) => {
    const redis = await startRedis(t);
    const before = await openTestBuffer(t, { redisSocket: redis.socket });
    await before.append(drafts(50));
    // Here after the first acknowledged batch, which may be the first start's note alone.
    await until('the mark says that something is stored', async () => (await markIn(redis)).stored > 0);
    const killed = await readFile(markOf(redis));
    await before.append(drafts(3, 50));
    await before.stop();
    const { published, stored } = await markIn(redis);
    assert.deepEqual([published, stored], [0, 54]);
    if (ending === 'a kill') await writeFile(markOf(redis), killed);
    await adminClient(t, redis.socket).flushall();
    const after = await openTestBuffer(t, { redisSocket: redis.socket });
    assert.deepEqual(await after.append([draft(53)]), [{ generation: before.generation + 1, number: 2 }]);
    assert.deepEqual(generationData((await after.all())[0]?.json), {
      why: 'the store is empty: it was lost or replaced',
      previousGeneration: before.generation,
      previousNumber: 0,
      publishedNumber: 0,
    });
  });

test('what was acknowledged during the run counts as published when the store is lost, also after a crash right then [B1]', async (t) => {
  const redis = await startRedis(t);
  let g = Number.POSITIVE_INFINITY;
  let begun: Buffer | undefined;
  const buffer = await openTestBuffer(t, {
    redisSocket: redis.socket,
    // Called once the new generation stands in the mark, and before anything of it is stored.
    seal: (sealed, id) => {
      if (id.generation > g) begun ??= readFileSync(markOf(redis));
      return sealForTest(sealed, id);
    },
  });
  await buffer.append(drafts(10));
  await buffer.mayPublish(buffer.at(11));
  await buffer.append(drafts(40, 10));
  g = buffer.generation;
  await redis.kill();
  await rm(redis.dir, { recursive: true });
  await redis.start();
  await buffer.append([draft(50)]);
  const note = {
    why: 'the store is empty: it was lost or replaced',
    previousGeneration: g,
    previousNumber: 0,
    publishedNumber: 51,
  };
  assert.deepEqual(generationData((await buffer.all())[0]?.json), note);
  await buffer.stop();
  assert.ok(begun !== undefined);
  await writeFile(markOf(redis), begun);
  await adminClient(t, redis.socket).flushall();
  const after = await openTestBuffer(t, { redisSocket: redis.socket });
  assert.deepEqual(await after.append([draft(51)]), [{ generation: g + 1, number: 2 }]);
  assert.deepEqual(generationData((await after.all())[0]?.json), note);
});

test('a mark file whose last write was torn goes on with the slot before it [B1]', async (t) => {
  const redis = await startRedis(t);
  const before = await openTestBuffer(t, { redisSocket: redis.socket });
  await before.append(drafts(5));
  await before.mayPublish(before.at(6));
  await before.stop();
  const bytes = await readFile(markOf(redis));
  const { mark } = parseMarkFile(bytes);
  assert.ok(mark !== null);
  assert.deepEqual([mark.published, mark.stored], [6, 6]);
  const slot = (mark.seq % 2) * SLOT_BYTES;
  bytes.fill(0, slot + 30, slot + SLOT_BYTES);
  await writeFile(markOf(redis), bytes);
  assert.equal((await markIn(redis)).seq, mark.seq - 1);
  const after = await openTestBuffer(t, { redisSocket: redis.socket });
  assert.deepEqual(await after.append([draft(5)]), [before.at(7)]);
});

test('the mark is written before anything is published, once for many that ask together [B1]', async (t) => {
  const redis = await startRedis(t);
  const buffer = await openTestBuffer(t, { redisSocket: redis.socket });
  const ids = await buffer.append(drafts(100));
  await until('the mark says that something is stored', async () => (await markIn(redis)).stored > 0);
  const { seq } = await markIn(redis);
  await Promise.all(ids.map((id) => buffer.mayPublish(id)));
  const { generation } = buffer;
  assert.deepEqual(await markIn(redis), { seq: seq + 1, generation, published: 101, stored: 101 });
  const [next] = await buffer.append([draft(100)]);
  assert.ok(next !== undefined);
  await buffer.mayPublish(next);
  assert.equal((await markIn(redis)).published, 102);
});

test('the mark says at least every thousand events how far they are stored, without anybody publishing [B1]', async (t) => {
  const redis = await startRedis(t);
  const buffer = await openTestBuffer(t, { redisSocket: redis.socket });
  for (let stored = 0; stored < 3_000; stored += 250) await buffer.append(drafts(250, stored));
  const reached = async () => (await markIn(redis)).stored;
  await until('the mark is less than a thousand behind', async () => (await reached()) > 3_001 - 1_000);
  assert.equal((await markIn(redis)).published, 0);
});

test('while the mark file cannot be written nothing may be published, and events are stored all the same [B1]', async (t) => {
  const redis = await startRedis(t);
  const before = await openTestBuffer(t, { redisSocket: redis.socket });
  await before.append(drafts(2));
  await before.mayPublish(before.at(3));
  await before.stop();
  const buffer = await openTestBuffer(t, { redisSocket: redis.socket });
  await buffer.readState();
  // A folder in its place: also root cannot write that.
  const bytes = await readFile(markOf(redis));
  await rm(markOf(redis));
  await cp(redis.dir, markOf(redis), { recursive: true });
  assert.deepEqual(await buffer.append([draft(2)]), [before.at(4)]);
  let may = false;
  const allowed = buffer.mayPublish(before.at(4)).then(() => {
    may = true;
  });
  await untilHealth(buffer, 'down', /cannot write the mark file .*EISDIR/);
  assert.deepEqual(await buffer.append([draft(3)]), [before.at(5)]);
  assert.equal(may, false);
  await rm(markOf(redis), { recursive: true });
  await writeFile(markOf(redis), bytes);
  await allowed;
  await untilHealth(buffer, 'ok');
});
