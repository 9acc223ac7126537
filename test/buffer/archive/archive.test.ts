import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import { fakeClock } from '../../support/fake-clock.ts';
import { startRedis } from '../../support/redis.ts';
import { until } from '../../support/until.ts';
import { adminClient, atStart, draft, openTestBuffer, untilHealth } from '../open-test-buffer.ts';
import { appendAll, folderOf, gapsIn, missingIn, names, ours, small, untilSpilled } from './spilling.ts';

test('past the memory bound the oldest events move to files, and reading crosses over without noticing [B3]', async (t) => {
  const redis = await startRedis(t);
  const admin = adminClient(t, redis.socket);
  const buffer = await openTestBuffer(t, { redisSocket: redis.socket, ...small });
  const uplink = await buffer.openConsumer('uplink', atStart);
  await appendAll(buffer, 4_000);
  await untilSpilled(buffer);
  assert.ok(buffer.usage().archivedEvents > 3_000);
  assert.ok((await admin.xlen('aw:events')) < 1_000);
  const all = await buffer.all();
  assert.deepEqual(ours(all), names(4_000));
  assert.ok(
    all.every(({ id }, at) => id.number === at + 2),
    'without a hole',
  );
  assert.equal(buffer.depth().depth, 4_002);

  // Files of zstd, which say by their name what is in them.
  const files = await readdir(folderOf(redis));
  const [lead = ''] = files.filter((name) => name.includes('.lead-')).sort();
  const lines = execFileSync('zstd', ['-dcq', path.join(folderOf(redis), lead)])
    .toString()
    .split('\n');
  assert.match(lead, new RegExp(`^${buffer.generation}-0000000001-\\d{10}\\.lead-vital\\.1\\.`));
  assert.match(lines[0] ?? '', /^1 [0-9a-f]{8} \{"specversion":"1\.0",.*"type":"buffer\.generation"/);
  assert.ok(files.some((name) => name.includes('.also-low.')));

  uplink.acknowledge(all[2_000]?.id ?? assert.fail());
  await until('read segments are gone', async () => (await readdir(folderOf(redis))).length < files.length);
  assert.deepEqual(ours((await buffer.read(uplink.position, 3)).events), ['n2001', 'n2002', 'n2003']);
  uplink.acknowledge(all.at(-1)?.id ?? assert.fail());
  await until('the archive is empty', async () => (await readdir(folderOf(redis))).length === 0);
  const last = await until('the end of spilling is told', async () => {
    const { events: left } = await buffer.read(uplink.position, 10);
    return left.some(({ type }) => type === 'buffer.spilled') && left;
  });
  assert.match(last.map(({ json }) => json).join(), /"state":"ended"/);
  assert.match(all.map(({ json }) => json).join(), /"type":"buffer\.spilled".*"state":"begun"/);
});

test('a restart goes on with archive and stream as they are, and reads no content to start [B6]', async (t) => {
  const redis = await startRedis(t);
  const first = await openTestBuffer(t, { redisSocket: redis.socket, ...small });
  await first.openConsumer('uplink', atStart);
  await appendAll(first, 3_000);
  await untilSpilled(first);
  await first.stop();
  const second = await openTestBuffer(t, { redisSocket: redis.socket, ...small });
  const cursor = await second.openConsumer('uplink', atStart);
  await appendAll(second, 2_000, 3_000);
  assert.deepEqual(ours(await second.all()), names(5_000));
  assert.equal(second.depth().depth, (await second.all()).length + 1);
  assert.equal(cursor.position.number, 0);
});

test('a store that lost everything but the archive delivers that first, then a higher generation [B3]', async (t) => {
  const redis = await startRedis(t);
  const first = await openTestBuffer(t, { redisSocket: redis.socket, ...small });
  await appendAll(first, 3_000);
  await untilSpilled(first);
  const kept = first.usage().archivedEvents;
  await first.stop();
  const admin = adminClient(t, redis.socket);
  await admin.del('aw:events', 'aw:cursors');
  // The mark is lost too, and the clock was never set.
  const beside = path.join(path.dirname(redis.socket), 'other-mark');
  const clock = fakeClock();
  clock.wallMs = 0;
  const second = await openTestBuffer(t, {
    redisSocket: redis.socket,
    ...small,
    clock,
    markFile: beside,
    random: () => 1,
  });
  await appendAll(second, 2_000, 3_000);
  await untilSpilled(second);
  const all = await second.all();
  const generations = [...new Set(all.map(({ id }) => id.generation))];
  assert.equal(generations.length, 2);
  assert.deepEqual(
    generations,
    generations.toSorted((a, b) => a - b),
  );
  assert.deepEqual(ours(all).slice(-2_000), names(5_000).slice(3_000));
  assert.deepEqual(ours(all).slice(0, 1_000), names(1_000));
  assert.equal(all.filter(({ id }) => id.generation === generations[0]).length, kept - 1);
});

for (const [what, damage, isExact] of [
  ['a changed byte in the middle', (bytes: Buffer) => flip(bytes, bytes.length >> 1), true],
  ['its end torn off', (bytes: Buffer) => bytes.subarray(0, bytes.length >> 1), true],
  ['a changed byte in its head', (bytes: Buffer) => flip(bytes, 20), null],
  ['nothing but zeros', (bytes: Buffer) => Buffer.alloc(bytes.length), false],
  ['no bytes at all', () => Buffer.alloc(0), false],
] as const)
  test(`an archive file with ${what} costs what is damaged, and a gap says which [B3]`, async (t) => {
    const redis = await startRedis(t);
    const options = { redisSocket: redis.socket, ...small, memoryMaxBytes: 4_000_000 };
    const first = await openTestBuffer(t, options);
    await appendAll(first, 10_000);
    await until('spilled', () => first.usage().archivedEvents > 0);
    await first.stop();
    const folder = folderOf(redis);
    const [victim = ''] = (await readdir(folder)).filter((name) => name.includes('-high.')).sort();
    await writeFile(path.join(folder, victim), damage(await readFile(path.join(folder, victim))));

    const second = await openTestBuffer(t, options);
    const all = await second.all();
    const found = new Set(ours(all));
    const missing = names(10_000).filter((name) => !found.has(name));
    assert.equal(found.size, ours(all).length, 'none twice');
    assert.deepEqual(
      ours(all),
      names(10_000).filter((name) => found.has(name)),
      'in order',
    );
    if (isExact === null) {
      // The head says what is missing; nothing else depends on it.
      assert.deepEqual(missing, []);
      return;
    }
    assert.ok(missing.length > 0);
    await second.append([draft(99_999)]);
    const gaps = gapsIn(await second.all());
    assert.equal(
      gaps.reduce((sum, { count }) => sum + count, 0),
      missing.length,
    );
    assert.ok(gaps.every(({ reason }) => reason === 'damaged-archive'));
    if (!isExact) return;
    const saidNames = gaps.flatMap(missingIn).map((number) => `n${number - 2}`);
    assert.deepEqual(saidNames, missing);
    await second.all();
    assert.equal(gapsIn(await second.all()).length, gaps.length, 'told once');
  });

test('an archive that cannot be listed holds reading back, not storing, and is read once it can be [B3]', async (t) => {
  const redis = await startRedis(t);
  const first = await openTestBuffer(t, { redisSocket: redis.socket, ...small });
  await appendAll(first, 3_000);
  await untilSpilled(first);
  await first.stop();
  const folder = folderOf(redis);
  execFileSync('mv', [folder, `${folder}.away`]);
  await writeFile(folder, '');
  const second = await openTestBuffer(t, { redisSocket: redis.socket, ...small });
  await untilHealth(second, 'down', /cannot read the archive .*stored but not delivered/);
  const reading = second.all();
  assert.equal((await second.append([draft(3_000)])).length, 1);
  execFileSync('mv', ['-T', `${folder}.away`, `${folder}.back`]);
  execFileSync('rm', [folder]);
  execFileSync('mv', ['-T', `${folder}.back`, folder]);
  assert.deepEqual(ours(await reading), names(3_001));
  await untilHealth(second, 'ok');
});

function flip(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeUInt8((copy[at] ?? 0) ^ 0x10, at);
  return copy;
}
