// A backlog that outgrows Redis: append with the archive at work, drain across archive and stream, what it costs in bytes
// written to the disk, and a start over the backlog. Beside it what the same Redis, or the same disk, does without us.
import { mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { type EventBuffer, openBuffer } from '../../src/buffer/open-buffer.ts';
import type { Clock } from '../../src/contracts/clock.ts';
import type { EventDraft, EventId } from '../../src/contracts/event.ts';
import { sealEvent } from '../../src/events/seal-event.ts';
import { makeTraceparent } from '../../src/events/traceparent.ts';
import { atStart, testConfig } from '../buffer/open-test-buffer.ts';
import { sampleDevice } from '../support/event-stream.ts';
import { recordingLog } from '../support/recording-log.ts';
import { recordingMetrics } from '../support/recording-metrics.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { until } from '../support/until.ts';
import { type Cleanup, withCleanup } from '../support/with-cleanup.ts';
import { type BenchRow, benchRow } from './bench-row.ts';

const EVENTS = 300_000;
const BATCH = 1_000;
/** Events that are fsynced one by one; each costs the page of the log that it ends in. */
const SINGLE = 1_000;
const PAGE_BYTES = 4_096;
const MEMORY_MAX_BYTES = 67_108_864;

const clock: Clock = {
  bootId: '00000000-0000-4000-8000-000000000001',
  uptimeMs: () => performance.now(),
  now: () => ({ uptimeMs: performance.now(), wallMs: Date.now(), synced: true }),
};
const newTraceparent = () => makeTraceparent((size) => crypto.getRandomValues(Buffer.alloc(size)));
const newDraft = (seqnum: number): EventDraft => ({
  ...{ type: 'usb.device.added', subject: 'usb/1-1.4', observed: clock.now(), traceparent: newTraceparent() },
  data: { source: 'kernel', seqnum, device: sampleDevice },
});

const sealed = (draft: EventDraft, id: EventId) =>
  sealEvent(draft, id, { source: 'urn:autoweave:a:b:c', bootId: clock.bootId, simulated: false });

export const bench = (): AsyncIterable<BenchRow> => withCleanup(rows);

async function* rows(t: Cleanup): AsyncIterable<BenchRow> {
  const folder = path.resolve('.cache', 'bench');
  await mkdir(folder, { recursive: true });
  const dir = await mkdtemp(path.join(folder, 'archive-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  const redis = await startRedis(t, { dir: path.join(dir, 'redis'), args: ['--maxmemory', '256mb'] });
  const open = () =>
    openBuffer({
      config: { ...testConfig({ redisSocket: redis.socket }), memoryMaxBytes: MEMORY_MAX_BYTES },
      ...{ markFile: path.join(dir, 'mark'), archiveFolder: path.join(dir, 'archive'), clock },
      seal: sealed,
      ...{ log: recordingLog(), metrics: recordingMetrics().buffer, report: () => undefined },
      traceparent: newTraceparent,
    });
  const emptyMs = await openingMs(open);

  let buffer = await open();
  const singleBefore = await writtenBytes(redis);
  for (let seqnum = 0; seqnum < SINGLE; seqnum += 1) await buffer.append([newDraft(seqnum)]);
  const singleBytes = ((await writtenBytes(redis)) - singleBefore) / SINGLE;
  yield benchRow('flash: bytes Redis wrote for an event that comes alone', singleBytes, PAGE_BYTES, 'bytes');
  const writtenBefore = await writtenBytes(redis);
  const ownBefore = await writtenBytes({ pid: process.pid });
  await buffer.openConsumer('uplink', atStart);
  const since = performance.now();
  for (let seqnum = 0; seqnum < EVENTS; seqnum += BATCH)
    await buffer.append(Array.from({ length: BATCH }, (_, at) => newDraft(seqnum + at)));
  const appendMs = performance.now() - since;
  yield benchRow(
    `archive: append of ${EVENTS} events while spilling`,
    (EVENTS * 1_000) / appendMs,
    null,
    'events/s',
  );
  await until('Redis is within its bound', () => buffer.usage().streamBytes < MEMORY_MAX_BYTES, 300_000);
  const { archivedEvents, archiveBytes } = buffer.usage();
  const jsonBytes = sealed(newDraft(EVENTS), { generation: 29_000_000, number: EVENTS }).length;
  yield benchRow(
    'archive: bytes an event in the archive, beside its JSON',
    archiveBytes / archivedEvents,
    jsonBytes,
    'bytes',
  );
  yield benchRow(
    'archive: resident memory of the process',
    process.memoryUsage.rss() / 1_048_576,
    null,
    'MiB',
  );

  await buffer.stop();
  yield benchRow(
    `archive: start over ${EVENTS} events, beside an empty one`,
    await openingMs(open),
    emptyMs,
    'ms',
  );

  buffer = await open();
  const drainSince = performance.now();
  const count = await readAll(buffer);
  const drainMs = performance.now() - drainSince;
  if (count < EVENTS + SINGLE) throw new Error(`${count} of ${EVENTS} events came out`);
  yield benchRow(
    `archive: read of ${EVENTS} events across archive and stream`,
    (count * 1_000) / drainMs,
    null,
    'events/s',
  );

  const again = await buffer.openConsumer('uplink', atStart);
  again.acknowledge(buffer.depth().lastId ?? again.position);
  await until('the archive is empty', () => buffer.usage().archivedEvents === 0, 60_000);
  await buffer.stop();
  const redisBytes = (await writtenBytes(redis)) - writtenBefore;
  const ownBytes = (await writtenBytes({ pid: process.pid })) - ownBefore;
  yield benchRow(
    'flash: bytes Redis wrote for an event, beside its JSON',
    redisBytes / EVENTS,
    jsonBytes,
    'bytes',
  );
  yield benchRow('flash: bytes of archive and mark for an event', ownBytes / EVENTS, null, 'bytes');
  yield benchRow(
    'flash: log of Redis at the end',
    (await bytesIn(path.join(dir, 'redis'))) / 1_048_576,
    null,
    'MiB',
  );
}

/** Throws when something is missing or out of order. */
async function readAll(buffer: EventBuffer): Promise<number> {
  let count = 0;
  let last = 0;
  for (let from = { generation: 0, number: 0 }; ; ) {
    const { events, position } = await buffer.read(from, 256);
    if (position === from) return count;
    for (const { id } of events) {
      if (id.number !== last + 1) throw new Error(`${id.number} follows ${last}`);
      last = id.number;
    }
    count += events.length;
    from = position;
  }
}

/** Milliseconds until a buffer knows where it goes on. */
async function openingMs(open: () => Promise<EventBuffer>): Promise<number> {
  const since = performance.now();
  const buffer = await open();
  await buffer.mayPublish({ generation: 0, number: 0 });
  const tookMs = performance.now() - since;
  await buffer.stop();
  return tookMs;
}

/** What a process and its ended children have sent to the disk, also what a page cache still holds. */
async function writtenBytes({ pid }: Pick<TestRedis, 'pid'>): Promise<number> {
  const io = await readFile(`/proc/${pid}/io`, 'utf8');
  return Number(/^write_bytes: (\d+)/m.exec(io)?.[1] ?? 0);
}

async function bytesIn(folder: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) bytes += (await stat(path.join(entry.parentPath, entry.name))).size;
  return bytes;
}
