import assert from 'node:assert/strict';
import { appendFile, readdir, stat, statfs } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import type { EventDraft } from '../../src/contracts/event.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { mountSmallDisk, noSmallDisk, resizeSmallDisk } from '../support/small-disk.ts';
import { until } from '../support/until.ts';
import { atStart, draft, openTestBuffer } from './open-test-buffer.ts';

const MIB = 1_024 * 1_024;
const large = (n: number): EventDraft => ({ ...draft(n), data: { why: `n${n}`, fill: 'x'.repeat(10_000) } });

const copiesIn = async (redis: TestRedis) =>
  (await readdir(redis.dir)).filter((name) => name.startsWith('aof-broken-')).sort();
const free = async (folder: string) => {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
};
async function fillUpTo(folder: string, left: number): Promise<void> {
  const bytes = (await free(folder)) - left;
  assert.ok(bytes > 0, 'the disk is fuller than that');
  await appendFile(path.join(folder, 'filler'), Buffer.alloc(bytes));
}
function isRewriting({ output }: TestRedis): boolean {
  const [, ...since] = output
    .slice(Math.max(0, output.lastIndexOf('just started')))
    .split('Starting automatic rewriting');
  return (
    since.length > 0 && !/Background AOF rewrite (finished|terminated with error)/.test(since.at(-1) ?? '')
  );
}
async function cutPower(redis: TestRedis): Promise<void> {
  await redis.kill();
  const folder = path.join(redis.dir, 'appendonlydir');
  const name = (await readdir(folder)).find((one) => one.endsWith('.incr.aof')) ?? '';
  await appendFile(path.join(folder, name), 'garbage');
  await redis.start();
}

test('redis-run gives kept copies up when the disk has no room for the log besides, and takes no more [B4]', {
  skip: noSmallDisk,
}, async (t) => {
  const disk = await mountSmallDisk(t, 48);
  const redis = await startRedis(t, { dir: path.join(disk, 'data') });
  const buffer = await openTestBuffer(t, { redisSocket: redis.socket });
  for (let n = 0; n < 600; n += 50)
    await buffer.append(Array.from({ length: 50 }, (_, index) => large(n + index)));
  await cutPower(redis);
  await cutPower(redis);
  const [older, newer] = await copiesIn(redis);
  assert.ok(older !== undefined && newer !== undefined);
  // The log has 6 MB: one copy makes room for it, the other may stay.
  await fillUpTo(disk, 2 * MIB);
  await redis.kill();
  await redis.start();
  assert.deepEqual(await copiesIn(redis), [newer]);
  assert.match(
    redis.output,
    new RegExp(`redis-run: removed the kept copy \\S+${older}: only \\d+ KiB were free`),
  );
  await cutPower(redis);
  assert.match(redis.output, /redis-run: kept no copy of the broken files: \d+ KiB are free/);
  assert.match(redis.output, /redis-run: repaired: /);
  assert.deepEqual(await copiesIn(redis), [newer]);
  await fillUpTo(disk, MIB);
  await redis.kill();
  await redis.start();
  assert.deepEqual(await copiesIn(redis), []);
  assert.deepEqual(await buffer.append([draft(600)]), [buffer.at(602)]);
});

test('a disk that is full of trimmed events is made room on by itself, and every event is stored once [B4]', {
  skip: noSmallDisk,
}, async (t) => {
  const disk = await mountSmallDisk(t, 24);
  const redis = await startRedis(t, { dir: path.join(disk, 'data') });
  assert.equal((await stat(path.join(redis.dir, 'reserve'))).size, 4 * MIB);
  let deaths = 0;
  let over = false;
  const supervised = (async () => {
    for (;;) {
      await redis.ended();
      if (over) return;
      deaths += 1;
      assert.ok(deaths < 10, `Redis dies in a loop:\n${redis.output}`);
      await redis.start();
    }
  })();
  const buffer = await openTestBuffer(t, { redisSocket: redis.socket, keepEvents: 10 });
  const cursor = await buffer.openConsumer('uplink', atStart);
  const stored = async () => {
    // Twice the disk, in batches of half a MB.
    for (let n = 0; n < 5_000; n += 50) {
      // A burst that fills half the disk before a rewrite is done would win against it.
      await until('no rewrite is under way', () => !isRewriting(redis));
      const ids = await buffer.append(Array.from({ length: 50 }, (_, index) => large(n + index)));
      assert.deepEqual(ids.at(-1), buffer.at(n + 51));
      cursor.acknowledge(buffer.at(n + 51));
    }
  };
  await Promise.race([stored(), supervised]);
  assert.ok(deaths > 0, 'the disk never was full');
  assert.match(redis.output, /redis-run: the disk is full \(\d+ KiB are free\): the reserve is given up/);
  over = true;
  await redis.stop();
  resizeSmallDisk(disk, 64);
  await redis.start();
  assert.equal((await stat(path.join(redis.dir, 'reserve'))).size, 4 * MIB);
  t.diagnostic(`${deaths} times without room`);
});
