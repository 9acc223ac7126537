import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import test from 'node:test';
import { startRedis } from '../../support/redis.ts';
import { until } from '../../support/until.ts';
import { atStart, openTestBuffer } from '../open-test-buffer.ts';
import { crashingFiles } from './crashing-files.ts';
import { appendAll, folderOf, gapsIn, missingIn, names, ours, small } from './spilling.ts';

/** Of one segment with three files: create, create, create, rename, rename, sync, rename, sync; then the next one's first. */
const STEPS = [0, 1, 2, 3, 4, 5, 6, 7, 8];

for (const keeps of ['what was synced', 'everything'] as const)
  for (const step of STEPS)
    test(`a crash at step ${step} of archiving, after which the disk has ${keeps}, loses and repeats nothing [B5]`, async (t) => {
      const redis = await startRedis(t);
      const folder = folderOf(redis);
      const planted = crashingFiles(folder, step, keeps === 'everything');
      const first = await openTestBuffer(t, {
        redisSocket: redis.socket,
        ...small,
        archiveFiles: planted.files,
      });
      await first.openConsumer('uplink', atStart);
      await appendAll(first, 1_500);
      await planted.crashed;
      // What is left of the buffer may not touch the store any more.
      await first.stop();
      if (keeps === 'what was synced') await planted.loseUnsynced();

      const second = await openTestBuffer(t, { redisSocket: redis.socket, ...small });
      await second.openConsumer('uplink', atStart);
      assert.deepEqual(ours(await second.all()), names(1_500));
      await until(
        'it archives again',
        () => second.usage().streamBytes > 0 && second.usage().streamBytes <= small.memoryMaxBytes,
      );
      const all = await second.all();
      assert.deepEqual(ours(all), names(1_500));
      assert.ok(
        all.every(({ id }, at) => id.number === at + 2),
        'without a hole',
      );
      assert.deepEqual(gapsIn(all), []);
      assert.ok((await readdir(folder)).every((name) => name.endsWith('.zst')));
    });

for (const step of [0, 1, 2, 3])
  test(`a crash at step ${step} of giving events up leaves each of them delivered or named as missing [B5]`, async (t) => {
    const redis = await startRedis(t);
    const folder = folderOf(redis);
    const spilled = await openTestBuffer(t, { redisSocket: redis.socket, ...small });
    await spilled.openConsumer('uplink', atStart);
    await appendAll(spilled, 3_000);
    await until('spilled', () => spilled.usage().archivedEvents > 1_500);
    await until('at rest', () => spilled.usage().streamBytes <= small.memoryMaxBytes);
    await spilled.stop();

    const planted = crashingFiles(folder, step, step % 2 === 0);
    const bounds = { ...small, memoryMaxBytes: 4_000_000, archiveMaxBytes: 60_000 };
    const first = await openTestBuffer(t, {
      redisSocket: redis.socket,
      ...bounds,
      archiveFiles: planted.files,
    });
    await first.openConsumer('uplink', atStart);
    await planted.crashed;
    await first.stop();

    const second = await openTestBuffer(t, { redisSocket: redis.socket, ...bounds });
    await second.openConsumer('uplink', atStart);
    let before = 0;
    await until('everything is told', async () => {
      const isTold = (await readdir(folder)).every((name) => name.endsWith('.zst'));
      const now = second.depth().lastId?.number ?? 0;
      const isQuiet = isTold && now === before && second.usage().archiveBytes <= 60_000;
      before = now;
      return isQuiet;
    });
    const all = await second.all();
    const delivered = new Set(all.map(({ id }) => id.number));
    const named = new Set(gapsIn(all).flatMap(missingIn));
    const numbers = Array.from({ length: (second.depth().lastId?.number ?? 0) - 1 }, (_, at) => at + 2);
    assert.deepEqual(
      numbers.filter((number) => delivered.has(number) === named.has(number)),
      [],
    );
    assert.ok(named.size > 500);
  });
