import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFile, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import { redisRun, startRedis, type TestRedis } from '../support/redis.ts';
import { draft, drafts, namesOf, openTestBuffer } from './open-test-buffer.ts';

const copiesIn = async (redis: TestRedis) =>
  (await readdir(redis.dir)).filter((name) => name.startsWith('aof-broken-')).sort();

async function logFile(redis: TestRedis, ending: string): Promise<string> {
  const folder = path.join(redis.dir, 'appendonlydir');
  const name = (await readdir(folder)).find((one) => one.endsWith(ending));
  assert.ok(name !== undefined, `no ${ending} in ${folder}`);
  return path.join(folder, name);
}

test('redis-run cuts a damaged end off the log and keeps a copy of what was broken [B4]', async (t) => {
  const redis = await startRedis(t);
  const before = await openTestBuffer(t, { redisSocket: redis.socket });
  await before.append(drafts(3));
  await before.stop();
  await redis.kill();
  const log = await logFile(redis, '.incr.aof');
  await appendFile(log, Buffer.alloc(4_096));
  const broken = await readFile(log);
  await redis.start();
  assert.match(redis.output, /redis-run: the append-only log is damaged: /);
  assert.match(redis.output, /redis-run: repaired: /);
  const [copy, ...others] = await copiesIn(redis);
  assert.deepEqual(others, []);
  assert.ok(copy !== undefined);
  assert.deepEqual(await readFile(path.join(redis.dir, copy, path.basename(log))), broken);
  const after = await openTestBuffer(t, { redisSocket: redis.socket });
  const [id] = await after.append([draft(3)]);
  assert.deepEqual(id, before.at(5));
  assert.deepEqual(namesOf(await after.all()), ['n0', 'n1', 'n2', 'n3']);
});

test('redis-run starts with an empty store when the log is beyond repair, and the buffer says so [B4]', async (t) => {
  const redis = await startRedis(t);
  const before = await openTestBuffer(t, { redisSocket: redis.socket });
  const [, last] = await before.append(drafts(2));
  assert.ok(last !== undefined);
  await before.mayPublish(last);
  await before.stop();
  await redis.kill();
  await writeFile(await logFile(redis, '.base.rdb'), 'no snapshot');
  await redis.start();
  assert.match(redis.output, /starting with an empty store/);
  assert.equal((await copiesIn(redis)).length, 1);
  const after = await openTestBuffer(t, { redisSocket: redis.socket });
  const [id] = await after.append([draft(2)]);
  assert.deepEqual(id, { generation: before.generation + 1, number: 2 });
  assert.deepEqual(namesOf(await after.all()), ['buffer.generation', 'n2']);
});

test('redis-run keeps the two latest broken logs, and checks only after a disorderly stop [B4]', async (t) => {
  const redis = await startRedis(t);
  for (let time = 0; time < 4; time += 1) {
    await redis.kill();
    await appendFile(await logFile(redis, '.incr.aof'), 'garbage');
    await redis.start();
  }
  assert.equal((await copiesIn(redis)).length, 2);
  await redis.kill();
  await redis.start();
  const checks = () => redis.output.match(/did not stop in order/g)?.length ?? 0;
  assert.equal(checks(), 1);
  await redis.restart();
  assert.equal(checks(), 1);
});

test('a log that rotted after an orderly stop is repaired at the second start [B4]', async (t) => {
  const redis = await startRedis(t);
  await redis.stop();
  await appendFile(await logFile(redis, '.incr.aof'), 'garbage');
  await assert.rejects(redis.start(), /Bad file format/);
  await redis.start();
  assert.match(redis.output, /redis-run: repaired: /);
});

test('redis-run says what it needs when it is called wrongly or nothing is installed [Q3]', async (t) => {
  const redis = await startRedis(t, { started: false });
  const run = (args: readonly string[], env: NodeJS.ProcessEnv) => {
    try {
      execFileSync('/bin/sh', [redisRun, ...args], { env, stdio: 'pipe' });
      return 'no error';
    } catch (thrown) {
      const { status, stderr } = thrown as { readonly status: number; readonly stderr: Buffer };
      return `${status} ${stderr.toString()}`;
    }
  };
  assert.match(run([redis.dir], process.env), /^2 redis-run: usage/);
  assert.match(
    run([redis.dir, redis.socket], { PATH: '/nowhere' }),
    /^127 redis-run: cannot start: .*install/,
  );
  await rm(redis.dir, { recursive: true, force: true });
});
