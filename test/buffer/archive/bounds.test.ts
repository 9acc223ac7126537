import assert from 'node:assert/strict';
import { statfs } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import { archiveFiles } from '../../../src/buffer/archive/archive-files.ts';
import { allowedBytes, planDrops } from '../../../src/buffer/archive/plan-drops.ts';
import { provenAgeMs } from '../../../src/buffer/event-age.ts';
import type { StoredEvent } from '../../../src/contracts/event.ts';
import { eventPriorities, priorityOf } from '../../../src/contracts/event-priority.ts';
import { eventTypes } from '../../../src/contracts/event-types.ts';
import { schemaCheck } from '../../../src/lib/schema-check.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { startRedis } from '../../support/redis.ts';
import { until } from '../../support/until.ts';
import { atStart, openTestBuffer, sealForTest, type TestBuffer } from '../open-test-buffer.ts';
import { appendAll, folderOf, gapsIn, missingIn, ours, small } from './spilling.ts';

const HOUR_MS = 3_600_000;

/** Every number that is neither delivered nor named by a gap, and every one that is both. */
function unexplained(
  all: readonly StoredEvent[],
  last: number,
): { silent: number[]; contradicted: number[] } {
  const delivered = new Set(all.map(({ id }) => id.number));
  const named = new Set(gapsIn(all).flatMap(missingIn));
  const numbers = Array.from({ length: last - 1 }, (_, at) => at + 2);
  return {
    silent: numbers.filter((number) => !delivered.has(number) && !named.has(number)),
    contradicted: numbers.filter((number) => delivered.has(number) && named.has(number)),
  };
}
/** Resolves when the bound is kept and nothing has moved, or has been told, for ten looks. */
async function untilQuiet(buffer: TestBuffer, folder: string, done: () => boolean): Promise<void> {
  let [before, looks] = ['', 0];
  await until('the bound is kept, and everything is told', async () => {
    const now = JSON.stringify([buffer.depth(), buffer.usage()]);
    const isTold = !(await archiveFiles(folder).list()).some((name) => !name.endsWith('.zst'));
    looks = done() && isTold && now === before && buffer.depth().queued === 0 ? looks + 1 : 0;
    before = now;
    return looks === 10;
  });
}
const lastNumber = (buffer: TestBuffer) => buffer.depth().lastId?.number ?? 0;

test('past the bytes of the archive the least important and oldest go first, and gaps name every one [B3]', async (t) => {
  const redis = await startRedis(t);
  const buffer = await openTestBuffer(t, { redisSocket: redis.socket, ...small, archiveMaxBytes: 250_000 });
  await buffer.openConsumer('uplink', atStart);
  await appendAll(buffer, 8_000);
  await untilQuiet(
    buffer,
    folderOf(redis),
    () => buffer.usage().archiveBytes <= 250_000 && buffer.usage().streamBytes < 500_000,
  );
  const all = await buffer.all();
  assert.deepEqual(unexplained(all, lastNumber(buffer)), { silent: [], contradicted: [] });
  const gaps = gapsIn(all);
  assert.ok(gaps.length > 0 && gaps.every(({ reason }) => reason === 'disk-bound'));
  for (const gap of gaps) assert.ok(schemaCheck(eventTypes['buffer.gap'])(gap).ok);
  const found = new Set(ours(all));
  const low = (n: number) => n % 10 === 9;
  const lowest = Array.from({ length: 8_000 }, (_, n) => n).filter((n) => low(n) && found.has(`n${n}`));
  const high = Array.from({ length: 8_000 }, (_, n) => n).filter((n) => !low(n) && found.has(`n${n}`));
  // Low ones are left in the stream alone, high ones also in the archive; none but the oldest of each went.
  assert.ok(lowest.length > 0 && high.length > 0);
  assert.ok((lowest[0] ?? 0) > (high[0] ?? 0), `low from ${lowest[0]}, high from ${high[0]}`);
  assert.equal(lowest.length, Math.ceil((8_000 - (lowest[0] ?? 0)) / 10));
  // What explains the holes is there, from the first on.
  assert.equal((await buffer.read({ generation: 0, number: 0 }, 1)).events[0]?.type, 'buffer.generation');
});

test('beyond the count the least important and oldest go, also out of the stream [B3]', async (t) => {
  const redis = await startRedis(t);
  const options = { redisSocket: redis.socket, ...small, memoryMaxBytes: 10_000_000, maxEvents: 1_500 };
  const buffer = await openTestBuffer(t, options);
  await buffer.openConsumer('uplink', atStart);
  await appendAll(buffer, 3_000);
  await untilQuiet(buffer, folderOf(redis), () => buffer.depth().depth <= 1_600);
  const all = await buffer.all();
  assert.deepEqual(unexplained(all, lastNumber(buffer)), { silent: [], contradicted: [] });
  assert.ok(gapsIn(all).every(({ reason }) => reason === 'count-bound'));
  assert.ok(all.length > 1_000, `${all.length} are left`);
});

test('what is surely too old goes; a clock that is wrong by years proves nothing [B3]', async (t) => {
  const redis = await startRedis(t);
  const clock = fakeClock();
  const options = { redisSocket: redis.socket, ...small, clock, maxAgeHours: 24 };
  const buffer = await openTestBuffer(t, options);
  await buffer.openConsumer('uplink', atStart);
  await appendAll(buffer, 2_000, 0, clock);
  clock.advance(23 * HOUR_MS);
  await appendAll(buffer, 1_000, 2_000, clock);
  await until('spilled', () => buffer.usage().archivedEvents > 1_500);
  assert.equal(ours(await buffer.all()).length, 3_000);
  clock.advance(2 * HOUR_MS);
  await untilQuiet(buffer, folderOf(redis), () => buffer.depth().depth < 1_500);
  const all = await buffer.all();
  assert.deepEqual(unexplained(all, lastNumber(buffer)), { silent: [], contradicted: [] });
  assert.ok(gapsIn(all).every(({ reason }) => reason === 'age-bound'));
  assert.equal(ours(all).at(-1), 'n2999');
  assert.ok(ours(all).length >= 1_000);
});

test('what is too old goes out of the stream, though the events before it prove no age [B3]', async (t) => {
  const redis = await startRedis(t);
  const clock = fakeClock();
  const limits = { memoryMaxBytes: 10_000_000, maxAgeHours: 24 };
  const seal: typeof sealForTest = (draft, id) => {
    const event = JSON.parse(sealForTest(draft, id)) as object;
    // As an earlier boot left them, with a clock that was never set.
    return JSON.stringify(id.number <= 400 ? { ...event, bootid: 'earlier', clock: 'unsynced' } : event);
  };
  const options = { redisSocket: redis.socket, ...small, ...limits, clock, seal };
  const buffer = await openTestBuffer(t, options);
  await buffer.openConsumer('uplink', atStart);
  await appendAll(buffer, 800, 0, clock);
  clock.advance(25 * HOUR_MS);
  await appendAll(buffer, 100, 800, clock);
  await untilQuiet(buffer, folderOf(redis), () => buffer.depth().depth < 200);
  const all = await buffer.all();
  assert.deepEqual(unexplained(all, lastNumber(buffer)), { silent: [], contradicted: [] });
  assert.ok(gapsIn(all).every(({ reason }) => reason === 'age-bound'));
  assert.deepEqual(
    ours(all),
    Array.from({ length: 100 }, (_, n) => `n${800 + n}`),
  );
});

for (const [what, event, age] of [
  [
    'of this boot, whatever the wall clock says',
    { bootid: 'now', uptimems: 400, time: '1970-01-01T00:00:00.000Z', clock: 'unsynced' },
    600,
  ],
  [
    'of another boot, both clocks synchronized',
    { bootid: 'other', uptimems: 400, time: '2026-01-01T00:00:00.000Z', clock: 'synced' },
    1_000,
  ],
  [
    'of another boot, its clock was not synchronized',
    { bootid: 'other', uptimems: 400, time: '1999-01-01T00:00:00.000Z', clock: 'unsynced' },
    null,
  ],
  ['without any time', {}, null],
] as const)
  test(`the age of an event ${what}, is ${age ?? 'not known'} [B3]`, () => {
    const clock = { ...fakeClock(), bootId: 'now' };
    assert.equal(provenAgeMs(event, clock), age);
    const unsynced = {
      ...clock,
      now: () => ({ ...clock.now(), synced: false, wallMs: Date.UTC(2050, 0, 1) }),
    };
    assert.equal(provenAgeMs(event, unsynced), event.bootid === 'now' ? age : null);
  });

test('every event type has a priority, and what explains holes is given up last [B3]', () => {
  const byPriority = Object.groupBy(Object.keys(eventTypes), priorityOf);
  assert.deepEqual(byPriority.vital, ['buffer.gap', 'buffer.generation', 'buffer.cursor-expired']);
  assert.ok(byPriority.high?.every((type) => /^(usb|security)\./.test(type)));
  assert.equal(priorityOf('security.violation'), 'high');
  assert.equal(priorityOf('plugin.scanner.whatever'), 'normal');
  assert.deepEqual(eventPriorities, ['vital', 'high', 'normal', 'low']);
});

test('the archive keeps a part of the disk free, at most a tenth of it [B3]', async () => {
  const disk = { bytes: 100, maxBytes: 1_000 };
  const allowed = (keepFreeBytes: number, freeBytes: number, totalBytes: number) =>
    allowedBytes({ ...disk, keepFreeBytes, room: { freeBytes, totalBytes } });
  assert.equal(allowed(50, 10_000, 100_000), 1_000);
  assert.equal(allowed(50, 60, 100_000), 110);
  assert.equal(allowed(50, 10, 100_000), 60);
  assert.equal(allowed(50, 10, 200), 90);
  assert.ok((await statfs(path.resolve('.'))).blocks > 0);
});

test('files are given up by bytes, then age, then count, each only once [B3]', () => {
  const segment = (first: number, counts: Partial<Record<(typeof eventPriorities)[number], number>>) => ({
    ...{ generation: 1, first, last: first + 9 },
    files: eventPriorities
      .filter((priority) => counts[priority] !== undefined)
      .map((priority, at) => ({
        ...{ generation: 1, first, last: first + 9, priority, isLead: at === 0, crc: 0 },
        ...{ count: counts[priority] ?? 0, bytes: (counts[priority] ?? 0) * 10 },
      })),
  });
  const segments = [
    segment(1, { vital: 1, high: 5, low: 4 }),
    segment(11, { high: 9, low: 1 }),
    segment(21, { high: 10 }),
  ];
  const plan = (excessBytes: number, tooOldSegments: number, excessEvents: number) =>
    planDrops(segments, { excessBytes, tooOldSegments, excessEvents }).map(
      ({ file, reason }) => `${file.first} ${file.priority} ${reason}`,
    );
  assert.deepEqual(plan(0, 0, 0), []);
  assert.deepEqual(plan(1, 0, 0), ['1 low disk-bound']);
  assert.deepEqual(plan(41, 0, 0), ['1 low disk-bound', '11 low disk-bound']);
  assert.deepEqual(plan(60, 0, 0).at(-1), '1 high disk-bound');
  assert.deepEqual(plan(10, 1, 6), ['1 low disk-bound', '1 high age-bound', '1 vital age-bound']);
  assert.deepEqual(plan(10, 0, 5), ['1 low disk-bound', '11 low count-bound']);
  assert.equal(plan(10_000, 3, 10_000).length, 6);
  assert.equal(plan(10_000, 0, 0).at(-1), '1 vital disk-bound');
});
