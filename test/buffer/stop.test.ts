import assert from 'node:assert/strict';
import test from 'node:test';
import { startRedis } from '../support/redis.ts';
import { atStart, draft, drafts, namesOf, openTestBuffer, untilHealth } from './open-test-buffer.ts';

async function timed(work: () => Promise<unknown>): Promise<number> {
  const since = performance.now();
  await work();
  return performance.now() - since;
}

test('a stop stores what waits and the last cursors [Q2]', async (t) => {
  const { socket } = await startRedis(t);
  const buffer = await openTestBuffer(t, { redisSocket: socket, batchEvents: 10 });
  const cursor = await buffer.openConsumer('uplink', atStart);
  await buffer.append(drafts(1));
  const calls = drafts(200, 1).map((one) => buffer.append([one]));
  cursor.acknowledge(buffer.at(3));
  assert.ok((await timed(() => buffer.stop())) < 1_500);
  assert.equal((await Promise.all(calls)).flat().length, 200);
  const again = await openTestBuffer(t, { redisSocket: socket });
  assert.equal((await again.all()).length, 201);
  assert.deepEqual((await again.openConsumer('uplink', atStart)).position, buffer.at(3));
});

test('a stop while Redis hangs ends in under 3 s and says what is lost [Q2]', async (t) => {
  const redis = await startRedis(t);
  const buffer = await openTestBuffer(t, { redisSocket: redis.socket, commandTimeoutMs: 5_000 });
  await buffer.append(drafts(2));
  await redis.kill('SIGSTOP');
  const lost = buffer.append(drafts(7, 2));
  const reading = buffer.read(buffer.at(0), 1).then(
    () => 'read',
    (thrown: { readonly code?: string }) => thrown.code,
  );
  const ms = await timed(() => buffer.stop());
  assert.ok(ms < 3_000, `${ms} ms`);
  assert.deepEqual(await lost, []);
  assert.equal(await reading, 'buffer.stopped');
  const said = buffer.log.lines.filter(({ level }) => level === 'error').map(({ message }) => message);
  assert.equal(said.length, 1);
  assert.match(said[0] ?? '', /^7 events are lost: .*may be stored/);
  assert.equal(buffer.metrics.total('buffer.dropped', { reason: 'stopped' }), 7);
});

test('a stop without Redis ends in under 3 s, twice is once, and nothing is taken afterwards [Q2]', async (t) => {
  const redis = await startRedis(t, { started: false });
  const buffer = await openTestBuffer(t, { redisSocket: redis.socket });
  await untilHealth(buffer, 'down');
  const [stored, cursor] = [buffer.append([draft(0)]), buffer.openConsumer('uplink', atStart)];
  const refused = assert.rejects(cursor, { code: 'buffer.stopped' });
  assert.ok((await timed(() => Promise.all([buffer.stop(), buffer.stop()]))) < 3_000);
  await refused;
  assert.deepEqual(await stored, []);
  assert.deepEqual(await buffer.append([draft(1)]), []);
  await assert.rejects(buffer.mayPublish({ generation: 1, number: 1 }), { code: 'buffer.stopped' });
  await assert.rejects(buffer.readState(), { code: 'buffer.stopped' });
});

test('a stop waits for a Redis that is just coming back [Q2]', async (t) => {
  const redis = await startRedis(t, { started: false });
  const buffer = await openTestBuffer(t, { redisSocket: redis.socket });
  const stored = buffer.append(drafts(3));
  const stopping = buffer.stop();
  await redis.start();
  await stopping;
  assert.equal((await stored).length, 3);
  const again = await openTestBuffer(t, { redisSocket: redis.socket });
  assert.deepEqual(namesOf(await again.all()), ['n0', 'n1', 'n2']);
});
