import assert from 'node:assert/strict';
import test from 'node:test';
import type { StoredEvent } from '../../src/contracts/event.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { startRedis } from '../support/redis.ts';
import { until } from '../support/until.ts';
import { adminClient, atStart, draft, drafts, namesOf, openTestBuffer } from './open-test-buffer.ts';

const HOUR_MS = 3_600_000;
const expiries = (events: readonly StoredEvent[]) =>
  events
    .filter(({ type }) => type === 'buffer.cursor-expired')
    .map(({ json }) => (JSON.parse(json) as { data: Readonly<Record<string, unknown>> }).data);

test('a consumer from now on gets what is appended after it was opened, also when the daemon died at once [B2]', async (t) => {
  const { socket } = await startRedis(t);
  const admin = adminClient(t, socket);
  const buffer = await openTestBuffer(t, { redisSocket: socket });
  await buffer.append(drafts(3));
  const cursor = await buffer.openConsumer('plugin:scanner', { from: 'now', mayExpire: true });
  // Stored before anybody has the cursor: no batch that a crash could lose.
  assert.equal(await admin.hget('aw:cursors', 'plugin:scanner'), `${buffer.generation}-4`);
  await buffer.append([draft(3)]);
  assert.deepEqual(namesOf((await buffer.read(cursor.position, 10)).events), ['n3']);
  await buffer.append([draft(4)]);
  const again = await buffer.openConsumer('plugin:scanner', { from: 'now', mayExpire: true });
  assert.deepEqual(namesOf((await buffer.read(again.position, 10)).events), ['n3', 'n4']);
});

test('a removed consumer holds nothing any more, and what it did not get is said once [B2]', async (t) => {
  const { socket } = await startRedis(t);
  const admin = adminClient(t, socket);
  const buffer = await openTestBuffer(t, { redisSocket: socket, keepEvents: 0 });
  await buffer.append(drafts(2_000));
  const cursor = await buffer.openConsumer('plugin:scanner', { from: 'start', mayExpire: true });
  const uplink = await buffer.openConsumer('uplink', atStart);
  cursor.acknowledge(buffer.at(11));
  uplink.acknowledge(buffer.at(2_001));
  await buffer.removeConsumer('plugin:scanner');
  await buffer.removeConsumer('plugin:scanner');
  cursor.acknowledge(buffer.at(50));
  const g = buffer.generation;
  assert.deepEqual(expiries(await buffer.all()), [
    { consumer: 'plugin:scanner', why: 'removed', count: 1_990, acknowledged: `${g}-11`, to: `${g}-2001` },
  ]);
  await until('its place is gone', async () => (await admin.hget('aw:cursors', 'plugin:scanner')) === null);
  await until('what it held is gone', async () => (await admin.xlen('aw:events')) < 200);
  await buffer.stop();
  const restarted = await openTestBuffer(t, { redisSocket: socket });
  const fresh = await restarted.openConsumer('plugin:scanner', { from: 'now', mayExpire: true });
  assert.equal(fresh.position.number, 2_002);
});

test('a consumer that stands still although it could read loses its place; one that waits at the end, and the uplink, do not [B2]', async (t) => {
  const { socket } = await startRedis(t);
  const admin = adminClient(t, socket);
  const clock = fakeClock();
  const options = { redisSocket: socket, clock, consumerIdleHours: 2, checkEveryMs: 20 };
  const first = await openTestBuffer(t, options);
  await first.append(drafts(9));
  const open = (name: string, mayExpire: boolean) => first.openConsumer(name, { from: 'start', mayExpire });
  const [stuck, waiting, uplink] = [
    await open('plugin:stuck', true),
    await open('plugin:waiting', true),
    await open('uplink', false),
  ];
  await open('plugin:gone', true);
  stuck.acknowledge(first.at(4));
  waiting.acknowledge(first.at(10));
  const age = (buffer: typeof first) => buffer.usage().oldestAgeSeconds;
  await until('looked at', () => first.metrics.total('buffer.bytes') > 0);
  const idle = async () => Number(await admin.hget('aw:idle', 'plugin:stuck'));
  // It stands still only from the first look on that saw where it stands.
  await until('standing still is seen', async () => {
    clock.advance(10_000);
    return (await idle()) > 0;
  });
  clock.advance(HOUR_MS);
  await until('looked at again', () => age(first) >= 3_600);
  assert.deepEqual(expiries(await first.all()), []);
  await until('how long it stood still is kept', async () => {
    clock.advance(10_000);
    return (await idle()) >= HOUR_MS;
  });
  await first.stop();

  // The time before the restart counts.
  const second = await openTestBuffer(t, options);
  const again = await second.openConsumer('plugin:stuck', { from: 'start', mayExpire: true });
  await second.openConsumer('uplink', atStart);
  await second.openConsumer('plugin:waiting', { from: 'start', mayExpire: true });
  await until('looked at', () => second.metrics.total('buffer.bytes') > 0);
  const told = await until('told', async () => {
    // In steps: what passes before its first look has begun to count is not counted.
    clock.advance(60_000);
    const found = expiries(await second.all());
    return found.length === 2 && found;
  });
  const g = second.generation;
  assert.deepEqual(
    told
      .toSorted((a, b) => String(a.consumer).localeCompare(String(b.consumer)))
      .map((one) => [one.consumer, one.why, one.acknowledged]),
    [
      ['plugin:gone', 'not-opened', '0-0'],
      ['plugin:stuck', 'blocked', `${g}-4`],
    ],
  );
  assert.ok(again.position.number >= 10, 'the blocked one goes on at the end');
  assert.deepEqual(uplink.position.number, 0);
  assert.deepEqual(waiting.position, second.at(10));
});
