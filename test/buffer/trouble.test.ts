import assert from 'node:assert/strict';
import test from 'node:test';
import { formatEventId } from '../../src/contracts/event.ts';
import { startRedis } from '../support/redis.ts';
import { startFaultyProxy } from './faulty-proxy.ts';
import {
  adminClient,
  atStart,
  draft,
  drafts,
  idsOf,
  namesOf,
  openTestBuffer,
  untilHealth,
} from './open-test-buffer.ts';

test('a Redis that hangs beyond the time-out stores nothing twice once it goes on [B4]', async (t) => {
  const redis = await startRedis(t);
  const buffer = await openTestBuffer(t, { redisSocket: redis.socket, commandTimeoutMs: 150 });
  await buffer.append(drafts(1));
  await redis.kill('SIGSTOP');
  const calls = [buffer.append(drafts(1, 1), { state: 's1' })];
  await untilHealth(buffer, 'down', /did not answer within 150 ms \(append\)/);
  await untilHealth(buffer, 'down', /did not answer within 150 ms \(connect\)/);
  for (let n = 2; n < 300; n += 1) calls.push(buffer.append([draft(n)], { state: `s${n}` }));
  await redis.kill('SIGCONT');
  const ids = (await Promise.all(calls)).flat();
  const events = await buffer.all();
  assert.deepEqual(
    namesOf(events),
    Array.from({ length: 300 }, (_, n) => `n${n}`),
  );
  assert.deepEqual(
    idsOf(events),
    Array.from({ length: 300 }, (_, n) => `${buffer.generation}-${n + 2}`),
  );
  assert.equal(ids.length, 299);
  assert.deepEqual(await buffer.readState(), { state: 's299' });
  await untilHealth(buffer, 'ok');
});

test('a transaction that Redis reads long after it was given up changes nothing any more [B4]', async (t) => {
  const redis = await startRedis(t);
  const proxy = await startFaultyProxy(t, redis.socket);
  const buffer = await openTestBuffer(t, { redisSocket: proxy.socket, commandTimeoutMs: 150 });
  await buffer.append(drafts(1));
  proxy.holdRequest('"n1"');
  await buffer.append(drafts(1, 1), { state: 'old' });
  assert.equal(proxy.faults, 1);
  await buffer.append(drafts(1, 2), { state: 'new' });
  assert.equal(await proxy.release(), '');
  assert.deepEqual(await buffer.readState(), { state: 'new' });
  assert.deepEqual(namesOf(await buffer.all()), ['n0', 'n1', 'n2']);
});

test('a Redis that hangs again and again under load stores every event once, in order [B4]', async (t) => {
  const redis = await startRedis(t);
  const buffer = await openTestBuffer(t, {
    redisSocket: redis.socket,
    commandTimeoutMs: 100,
    batchEvents: 16,
  });
  const calls: Promise<unknown>[] = [];
  for (let round = 0; round < 4; round += 1) {
    for (let n = 0; n < 250; n += 1) calls.push(buffer.append([draft(round * 250 + n)]));
    await redis.kill('SIGSTOP');
    await untilHealth(buffer, 'down');
    await redis.kill('SIGCONT');
    await untilHealth(buffer, 'ok');
  }
  await Promise.all(calls);
  const events = await buffer.all();
  assert.deepEqual(
    namesOf(events),
    Array.from({ length: 1_000 }, (_, n) => `n${n}`),
  );
  assert.deepEqual(events.at(-1)?.id, buffer.at(1_001));
});

test('a Redis that is killed and restarted loses nothing that waited or was acknowledged [B4]', async (t) => {
  const redis = await startRedis(t);
  const buffer = await openTestBuffer(t, { redisSocket: redis.socket, batchEvents: 8 });
  const calls: Promise<unknown>[] = [];
  let n = 0;
  for (let round = 0; round < 3; round += 1) {
    for (let more = 0; more < 200; more += 1) calls.push(buffer.append([draft(n++)]));
    await calls[calls.length - 190];
    await redis.kill();
    await untilHealth(buffer, 'down', /not running|closed/);
    for (let more = 0; more < 20; more += 1) calls.push(buffer.append([draft(n++)]));
    await redis.start();
    const since = performance.now();
    await calls.at(-1);
    assert.ok(performance.now() - since < 2_000, 'not back within 2 s');
  }
  await Promise.all(calls);
  const events = await buffer.all();
  assert.deepEqual(
    namesOf(events),
    Array.from({ length: n }, (_, index) => `n${index}`),
  );
  assert.deepEqual(events.at(-1)?.id, buffer.at(n + 1));
});

test('a reply that is lost after the transaction ran is looked up, not repeated [B4]', async (t) => {
  const redis = await startRedis(t);
  const proxy = await startFaultyProxy(t, redis.socket);
  const buffer = await openTestBuffer(t, { redisSocket: proxy.socket });
  await buffer.append(drafts(2));
  proxy.loseReplyTo('"n2"');
  const ids = await buffer.append(drafts(3, 2), { state: 'x' });
  assert.equal(proxy.faults, 1);
  assert.deepEqual(
    ids.map(({ number }) => number),
    [4, 5, 6],
  );
  await buffer.append([draft(5)]);
  assert.deepEqual(namesOf(await buffer.all()), ['n0', 'n1', 'n2', 'n3', 'n4', 'n5']);
  assert.equal(buffer.metrics.total('buffer.appended'), 7);
});

test('a batch that was made ready while the reply before it got lost is stored once, after it [B4]', async (t) => {
  const redis = await startRedis(t);
  const proxy = await startFaultyProxy(t, redis.socket);
  const buffer = await openTestBuffer(t, { redisSocket: proxy.socket, batchEvents: 4 });
  await buffer.append(drafts(1));
  for (const fault of ['loseReplyTo', 'holdRequest'] as const) {
    const from = fault === 'loseReplyTo' ? 1 : 41;
    proxy[fault](`"n${from + 4}"`);
    const ids = await Promise.all(drafts(40, from).map((one) => buffer.append([one])));
    assert.deepEqual(
      ids.flat(),
      Array.from({ length: 40 }, (_, index) => buffer.at(from + index + 2)),
    );
  }
  assert.equal(proxy.faults, 2);
  assert.deepEqual(
    namesOf(await buffer.all()),
    Array.from({ length: 81 }, (_, n) => `n${n}`),
  );
  assert.equal(buffer.depth().queued, 0);
});

test('ids that another process took are not used again, and no event is lost to it [B1]', async (t) => {
  const redis = await startRedis(t);
  const buffer = await openTestBuffer(t, { redisSocket: redis.socket });
  await buffer.append(drafts(2));
  const taken = formatEventId(buffer.at(4));
  await adminClient(t, redis.socket).xadd('aw:events', taken, 'e', '{"type":"foreign"}', 'c', '0');
  assert.deepEqual(await buffer.append([draft(2)]), [buffer.at(5)]);
  assert.ok(buffer.log.lines.some(({ message }) => message.includes('another process writes')));
});

test('a batch in whose middle another process took an id is stored once, each event under the id that is told [B1]', async (t) => {
  const redis = await startRedis(t);
  const buffer = await openTestBuffer(t, { redisSocket: redis.socket });
  await buffer.append(drafts(2));
  const taken = formatEventId(buffer.at(6));
  await adminClient(t, redis.socket).xadd('aw:events', taken, 'e', '{"type":"foreign"}', 'c', '0');
  // The first three of them would stand at or before the taken one: Redis refuses those alone.
  const [two, three] = await Promise.all([
    buffer.append(drafts(2, 2), { last: 'n3' }),
    buffer.append(drafts(3, 4), { last: 'n6' }),
  ]);
  const [a, b, c, d, e] = [9, 10, 11, 7, 8].map((number) => buffer.at(number));
  assert.deepEqual(
    [two, three],
    [
      [a, b],
      [c, d, e],
    ],
  );
  assert.equal(buffer.metrics.total('buffer.appended'), 8);
  // Reading tells the foreign entry as a gap, which comes last.
  const events = (await buffer.all()).slice(0, 7);
  assert.deepEqual(namesOf(events), ['n0', 'n1', 'n5', 'n6', 'n2', 'n3', 'n4']);
  assert.deepEqual(
    events.slice(2).map(({ id }) => id),
    [d, e, a, b, c],
  );
  assert.deepEqual(await buffer.readState(), { last: 'n6' });
});

test('without Redis it opens at once, says why, and stores what waited once Redis appears [B4]', async (t) => {
  const redis = await startRedis(t, { started: false });
  const buffer = await openTestBuffer(t, { redisSocket: redis.socket });
  await untilHealth(buffer, 'down', /Redis is not running \(no socket\)/);
  assert.deepEqual(buffer.depth(), { lastId: null, depth: 0, queued: 0 });
  const waiting = buffer.append(drafts(3), { a: '1' });
  assert.equal(buffer.depth().queued, 3);
  const state = buffer.readState();
  await redis.start();
  assert.equal((await waiting).length, 3);
  await state;
  await untilHealth(buffer, 'ok');
});

test('a full memory queue drops the oldest, and the gap stands in their place with the newest state [B4]', async (t) => {
  const redis = await startRedis(t);
  const buffer = await openTestBuffer(t, { redisSocket: redis.socket, memoryQueueEvents: 100 });
  await buffer.append(drafts(1));
  await redis.kill();
  await untilHealth(buffer, 'down');
  const dropped = [];
  for (let n = 1; n <= 30; n += 1) {
    buffer.clock.advance(10);
    dropped.push(buffer.append([draft(n, buffer.clock)], { [`field${n % 3}`]: `${n}` }));
  }
  // The first of them is numbered already: it went to the connection that was cut.
  const kept = buffer.append(drafts(100, 31), { last: 'x' });
  assert.deepEqual(await dropped[5], []);
  await untilHealth(buffer, 'down');
  await redis.start();
  assert.equal((await kept).length, 100);
  const events = await buffer.all();
  const names = namesOf(events);
  assert.equal(names.filter((name) => name === 'buffer.gap').length, 1);
  const place = names.indexOf('buffer.gap');
  assert.deepEqual(
    names.slice(place + 1),
    Array.from({ length: 100 }, (_, index) => `n${31 + index}`),
  );
  const gap = JSON.parse(events[place]?.json ?? '') as { data: { count: number; toUptimeMs: number } };
  assert.equal(gap.data.count, 131 - (names.length - 1));
  assert.equal(gap.data.toUptimeMs, 1_300);
  assert.deepEqual(await buffer.readState(), { field0: '30', field1: '28', field2: '29', last: 'x' });
  assert.equal(buffer.metrics.total('buffer.dropped', { reason: 'memory-queue-full' }), gap.data.count);
  await untilHealth(buffer, 'ok');
});

test('a Redis without memory is a state with a remedy: reading goes on, and room is used at once [B4]', async (t) => {
  const redis = await startRedis(t, { args: ['--maxmemory', '4mb'] });
  const buffer = await openTestBuffer(t, { redisSocket: redis.socket, keepEvents: 10 });
  const cursor = await buffer.openConsumer('uplink', atStart);
  await buffer.append(drafts(1));
  cursor.acknowledge(buffer.at(2));
  const large = { fill: 'x'.repeat(10_000) };
  const calls = drafts(600).map((one) => buffer.append([{ ...one, data: { ...one.data, ...large } }]));
  await untilHealth(buffer, 'degraded', /memory limit.*maxmemory/);
  let seen = 0;
  while (seen < 600) {
    const { events, position } = await buffer.read(cursor.position, 100);
    seen += events.length;
    cursor.acknowledge(position);
  }
  await Promise.all(calls);
  assert.equal(seen, 600);
  await untilHealth(buffer, 'ok');
});

test('an ACL that forbids what the buffer needs is reported with the remedy, and healed when it is lifted [B4]', async (t) => {
  const redis = await startRedis(t);
  const admin = adminClient(t, redis.socket);
  const buffer = await openTestBuffer(t, { redisSocket: redis.socket });
  await buffer.append(drafts(1));
  await admin.acl('SETUSER', 'default', '-xadd');
  const waiting = buffer.append(drafts(1, 1));
  await untilHealth(buffer, 'down', /ACL forbids.*redis\.conf/);
  await admin.acl('SETUSER', 'default', '+xadd');
  assert.deepEqual(await waiting, [buffer.at(3)]);
  await untilHealth(buffer, 'ok');
});

test('a read that Redis refused for a while is no trouble any more once it is answered [B4]', async (t) => {
  const redis = await startRedis(t);
  const admin = adminClient(t, redis.socket);
  const buffer = await openTestBuffer(t, { redisSocket: redis.socket });
  await buffer.append(drafts(1));
  await admin.acl('SETUSER', 'default', '-xrange');
  const reading = buffer.read(buffer.at(1), 10);
  await untilHealth(buffer, 'down', /ACL forbids.*redis\.conf/);
  await admin.acl('SETUSER', 'default', '+xrange');
  assert.equal((await reading).events.length, 1);
  await untilHealth(buffer, 'ok', /every acknowledged event is fsynced/);
});

test('credentials are used, and wrong ones are reported with the remedy [B4]', async (t) => {
  const redis = await startRedis(t);
  const admin = adminClient(t, redis.socket);
  await admin.acl('SETUSER', 'edge', 'on', '>secret', '~aw:*', '+@all');
  const good = await openTestBuffer(t, { redisSocket: redis.socket, username: 'edge', password: 'secret' });
  await good.append(drafts(1));
  await good.stop();
  const bad = await openTestBuffer(t, { redisSocket: redis.socket, username: 'edge', password: 'wrong' });
  await untilHealth(bad, 'down', /buffer\.username and buffer\.password/);
});
