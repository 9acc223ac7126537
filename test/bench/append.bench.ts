// Appending through the buffer with the shipped redis.conf on the disk of the working folder, beside what the same Redis gives
// to bare commands of the same bytes.
import { mkdir, mkdtemp, rm, statfs } from 'node:fs/promises';
import path from 'node:path';
import { Redis } from 'ioredis';
import { openBuffer } from '../../src/buffer/open-buffer.ts';
import { toEntryFields } from '../../src/buffer/stored-entry.ts';
import type { Clock } from '../../src/contracts/clock.ts';
import type { EventDraft, EventId } from '../../src/contracts/event.ts';
import { sealForTest, testConfig, traceparent } from '../buffer/open-test-buffer.ts';
import { recordingLog } from '../support/recording-log.ts';
import { recordingMetrics } from '../support/recording-metrics.ts';
import { startRedis } from '../support/redis.ts';
import { type BenchRow, benchRow } from './bench-row.ts';

const ONE_BY_ONE = 3_000;
/** Of one round. */
const BULK = 20_000;
const BATCH = 256;
const PRODUCERS = 4 * BATCH;
const ROUNDS = 10;
/** Beside the buffer's own keys, in reach of its ACL. */
const RAW = 'aw:raw';
const TMPFS = 0x01021994;

const clock: Clock = {
  bootId: '00000000-0000-4000-8000-000000000001',
  uptimeMs: () => performance.now(),
  now: () => ({ uptimeMs: performance.now(), wallMs: Date.now(), synced: true }),
};
/** About what an added device is: 700 bytes as JSON. */
const newDraft = (): EventDraft => ({
  ...{ type: 'usb.device.added', subject: 'usb/1-1.4', observed: clock.now(), traceparent },
  data: { device: { product: 'x'.repeat(440) } },
});

export async function* bench(): AsyncIterable<BenchRow> {
  const after: (() => unknown)[] = [];
  const folder = path.resolve('.cache', 'bench');
  await mkdir(folder, { recursive: true });
  const dir = await mkdtemp(path.join(folder, 'append-'));
  after.push(() => rm(dir, { recursive: true, force: true }));
  try {
    if ((await statfs(dir)).type === TMPFS)
      throw new Error(
        `${dir} is on tmpfs, where fsync costs nothing; run the benchmark from a folder on a disk`,
      );
    const redis = await startRedis({ after: (hook) => void after.push(hook as () => unknown) }, { dir });
    const raw = new Redis({
      path: redis.socket,
      protocol: 2,
      disableClientInfo: true,
      disconnectTimeout: 10,
    });
    after.push(() => raw.disconnect());
    const buffer = await openBuffer({
      ...{
        config: testConfig({ redisSocket: redis.socket }),
        clock,
        seal: sealForTest,
      },
      ...{ log: recordingLog(), metrics: recordingMetrics().buffer, report: () => undefined },
      ...{ markFile: path.join(dir, 'buffer-mark'), archiveFolder: path.join(dir, 'archive') },
      traceparent: () => traceparent,
    });
    after.push(() => buffer.stop());
    await buffer.append([newDraft()]);

    // In turns, so that both meet the same neighbours on the machine.
    const rounds: { readonly ours: number[]; readonly limit: number[] } = { ours: [], limit: [] };
    let number = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      rounds.limit.push(...(await oneByOne(() => raw.xadd(RAW, ...rawEntry(++number)))));
      rounds.ours.push(...(await oneByOne(() => buffer.append([newDraft()]))));
    }
    const [ours, limit] = [toFigures(rounds.ours), toFigures(rounds.limit)];
    yield benchRow('append one by one, p50', ours.p50, limit.p50, 'ms');
    yield benchRow('append one by one, p99', ours.p99, limit.p99, 'ms');
    yield benchRow('append one by one', ours.perSecond, limit.perSecond, 'events/s');

    let [oursMs, limitMs] = [0, 0];
    for (let round = 0; round < ROUNDS; round += 1) {
      limitMs += await rawBulk(raw, number);
      number += BULK;
      oursMs += await bulk(() => buffer.append([newDraft()]));
    }
    const perSecond = (ms: number) => (ROUNDS * BULK * 1_000) / ms;
    yield benchRow('append in bulk', perSecond(oursMs), perSecond(limitMs), 'events/s');
  } finally {
    for (const hook of after.reverse()) await hook();
  }
}

/** The same bytes as the buffer stores. */
function rawEntry(number: number): readonly [string, ...string[]] {
  const idText = `1-${number}`;
  return [idText, ...toEntryFields(idText, sealForTest(newDraft(), { generation: 1, number }))];
}

/** Prepared transactions, the next one sent before the last is answered. Resolves with milliseconds. */
async function rawBulk(raw: Redis, last: number): Promise<number> {
  const entries = Array.from({ length: BULK }, (_, index) => rawEntry(last + 1 + index));
  const since = performance.now();
  let before: Promise<unknown> = Promise.resolve();
  for (let from = 0; from < BULK; from += BATCH) {
    const transaction = raw.multi();
    for (const entry of entries.slice(from, from + BATCH)) transaction.xadd(RAW, ...entry);
    const stored = transaction.exec();
    await before;
    before = stored;
  }
  await before;
  return performance.now() - since;
}

/** Single events from many producers at once, which the buffer makes batches of. Resolves with milliseconds. */
async function bulk(append: () => Promise<readonly EventId[]>): Promise<number> {
  let left = BULK;
  const since = performance.now();
  const producer = async () => {
    while (left > 0) {
      left -= 1;
      if ((await append()).length !== 1) throw new Error('an event was dropped');
    }
  };
  await Promise.all(Array.from({ length: PRODUCERS }, producer));
  return performance.now() - since;
}

/** Milliseconds of each. */
async function oneByOne(append: () => Promise<unknown>): Promise<number[]> {
  const times: number[] = [];
  for (let index = 0; index < ONE_BY_ONE / ROUNDS; index += 1) {
    const since = performance.now();
    await append();
    times.push(performance.now() - since);
  }
  return times;
}

function toFigures(times: readonly number[]) {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor(sorted.length * share)] ?? 0;
  const sum = sorted.reduce((total, ms) => total + ms, 0);
  return { p50: at(0.5), p99: at(0.99), perSecond: (sorted.length * 1_000) / sum };
}
