import assert from 'node:assert/strict';
import test from 'node:test';
import { START } from '../../src/contracts/event.ts';
import { startRedis } from '../support/redis.ts';
import { adminClient, client, draft, drafts, idsOf, namesOf, openTestBuffer } from './open-test-buffer.ts';

test('ids are consecutive in the order of the calls over concurrent appends [B1]', async (t) => {
  const { socket } = await startRedis(t);
  const buffer = await openTestBuffer(t, { redisSocket: socket, batchEvents: 7 });
  const calls = Array.from({ length: 200 }, (_, call) => buffer.append(drafts(call % 4, call * 10)));
  const ids = (await Promise.all(calls)).flat();
  assert.deepEqual(
    ids.map(({ generation, number }) => [generation, number]),
    ids.map((_, index) => [buffer.generation, index + 2]),
  );
  const events = await buffer.all();
  assert.equal(events.length, ids.length);
  const expected = Array.from({ length: 200 }, (_, call) =>
    drafts(call % 4, call * 10).map((_d, i) => `n${call * 10 + i}`),
  );
  assert.deepEqual(namesOf(events), expected.flat());
  // The first start's own note besides.
  assert.equal(buffer.metrics.total('buffer.appended'), ids.length + 1);
  assert.equal(buffer.metrics.total('buffer.eventLatency'), ids.length + 1);
});

test('the state patch is stored with its events, and null removes a field [B1]', async (t) => {
  const { socket } = await startRedis(t);
  const buffer = await openTestBuffer(t, { redisSocket: socket });
  await buffer.append([draft(1)], { a: '1', b: '2' });
  await buffer.append([], { b: null, c: '3' });
  assert.deepEqual(await buffer.readState(), { a: '1', c: '3' });
});

test('read goes on after a position, in order, and stays at the end of the stream [B1]', async (t) => {
  const { socket } = await startRedis(t);
  const buffer = await openTestBuffer(t, { redisSocket: socket });
  assert.deepEqual(await buffer.read(START, 10), { events: [], position: START });
  await buffer.append(drafts(5));
  const g = buffer.generation;
  const first = await buffer.read(START, 3);
  assert.deepEqual(idsOf(first.events), [`${g}-1`, `${g}-2`, `${g}-3`]);
  const second = await buffer.read(first.position, 4);
  assert.deepEqual(idsOf(second.events), [`${g}-4`, `${g}-5`, `${g}-6`]);
  assert.deepEqual(await buffer.read(second.position, 3), { events: [], position: second.position });
});

test('onAppended tells every acknowledged batch until it is ended [B1]', async (t) => {
  const { socket } = await startRedis(t);
  const buffer = await openTestBuffer(t, { redisSocket: socket });
  await buffer.append(drafts(1));
  const told: number[] = [];
  const end = buffer.onAppended(({ number }) => void told.push(number));
  await buffer.append(drafts(3));
  await buffer.append(drafts(2));
  end();
  await buffer.append(drafts(1));
  assert.deepEqual(told, [5, 7]);
  assert.deepEqual(buffer.depth().lastId, buffer.at(8));
});

test('a damaged entry is left out, counted and told once as a gap [B1]', async (t) => {
  const { socket } = await startRedis(t);
  const buffer = await openTestBuffer(t, { redisSocket: socket });
  await buffer.append(drafts(2));
  const admin = adminClient(t, socket);
  const g = buffer.generation;
  const [, fields = []] = (await admin.xrange('aw:events', `${g}-2`, `${g}-2`))[0] ?? [];
  // The same bytes under another id, a changed byte, and fields that are missing.
  await admin.xadd('aw:events', `${g}-4`, ...fields);
  await admin.xadd('aw:events', `${g}-5`, 'e', '{"type":"x"}', 'c', '00000000');
  await admin.xadd('aw:events', `${g}-6`, 'f', 'x');
  const restarted = await openTestBuffer(t, { redisSocket: socket });
  const [id] = await restarted.append([draft(9)]);
  assert.equal(id?.number, 7);
  assert.deepEqual(namesOf(await restarted.all()).slice(0, 3), ['n0', 'n1', 'n9']);
  await restarted.all();
  await restarted.append([draft(10)]);
  const events = await restarted.all();
  assert.deepEqual(namesOf(events), ['n0', 'n1', 'n9', 'buffer.gap', 'n10']);
  const gap = JSON.parse(events[3]?.json ?? '') as { data: unknown };
  assert.deepEqual(gap.data, { reason: 'damaged-entry', count: 3, from: `${g}-4`, to: `${g}-6` });
  assert.equal(restarted.metrics.total('buffer.dropped', { reason: 'damaged-entry' }), 3);
});

test('the shipped ACL keeps the socket to the keys and commands of the buffer [B1]', async (t) => {
  const { socket } = await startRedis(t);
  const user = client(t, { path: socket });
  assert.equal(await user.hset('aw:state', 'a', '1'), 1);
  for (const refused of [
    user.hset('other', 'a', '1'),
    user.xadd('events', '1-1', 'e', 'x'),
    user.config('SET', 'appendfsync', 'no'),
    user.flushall(),
    user.call('SHUTDOWN'),
    user.eval('return 1', 0),
    user.keys('*'),
    user.subscribe('aw:events'),
  ])
    await assert.rejects(refused, /NOPERM/);
});
