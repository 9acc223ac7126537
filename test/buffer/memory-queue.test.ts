import assert from 'node:assert/strict';
import test from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { MemoryQueue } from '../../src/buffer/memory-queue.ts';
import type { EventDraft, EventId } from '../../src/contracts/event.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { until } from '../support/until.ts';
import { draft } from './open-test-buffer.ts';

const ANY = Number.POSITIVE_INFINITY;

function fill(events: number, bytes = ANY) {
  let dropped = 0;
  const clock = fakeClock(0);
  const queue = new MemoryQueue({ events, bytes }, (count) => {
    dropped += count;
  });
  const resolved: (readonly EventId[])[] = [];
  const push = (count: number, state: Record<string, string> = {}) => {
    const drafts = Array.from({ length: count }, () => {
      clock.advance(1);
      return draft(clock.uptimeMs(), clock);
    });
    queue.push({ drafts, state, resolve: (ids) => void resolved.push(ids) });
  };
  return { queue, push, resolved, dropped: () => dropped };
}

test('calls leave whole, in order, about as many events at a time as asked for [B4]', () => {
  const { queue, push } = fill(100);
  for (const count of [3, 0, 4, 10, 1]) push(count);
  const sizes = () => queue.take({ events: 7, bytes: ANY }).calls.map((call) => call.drafts.length);
  assert.deepEqual(sizes(), [3, 0, 4]);
  assert.deepEqual(sizes(), [10]);
  assert.equal(queue.size, 1);
  assert.deepEqual(sizes(), [1]);
  assert.ok(queue.isEmpty);
});

test('a full queue drops the oldest events, counts them in one gap and keeps their state [B4]', () => {
  const { queue, push, resolved, dropped } = fill(10);
  push(4, { a: 'old', b: 'kept' });
  push(4, { a: 'new' });
  push(8);
  assert.equal(queue.size, 10);
  assert.equal(dropped(), 6);
  assert.deepEqual(resolved, [[]], 'the first call is gone as a whole, the second in part');
  const { calls, gap, gapState } = queue.take({ events: 100, bytes: ANY });
  assert.deepEqual(gap, { count: 6, fromUptimeMs: 1, toUptimeMs: 6 });
  assert.deepEqual(gapState, { a: 'old', b: 'kept' });
  assert.deepEqual(
    calls.map((call) => [call.drafts.length, call.state]),
    [
      [2, { a: 'new' }],
      [8, {}],
    ],
  );
  assert.equal(queue.take({ events: 1, bytes: ANY }).gap, null);
});

test('one call larger than the whole queue keeps its newest events [B4]', () => {
  const { queue, push } = fill(10);
  push(25);
  const { calls, gap } = queue.take({ events: 1, bytes: ANY });
  assert.equal(gap?.count, 15);
  assert.equal(calls[0]?.drafts[0]?.observed.uptimeMs, 16);
});

test('a long queue stays in order over many pushes and takes [B4]', () => {
  const { queue, push } = fill(100_000);
  const seen: number[] = [];
  for (let round = 0; round < 5_000; round += 1) {
    push(2);
    for (const call of queue.take({ events: 1, bytes: ANY }).calls)
      seen.push(...call.drafts.map((one) => one.observed.uptimeMs));
  }
  assert.deepEqual(
    seen,
    Array.from({ length: 10_000 }, (_, index) => index + 1),
  );
});

test('a queue with too many bytes drops the oldest events, and a batch has no more bytes than asked for [B4]', () => {
  const { queue, resolved, dropped } = fill(1_000, 10_000);
  const pushText = (uptimeMs: number, length: number) =>
    queue.push({
      drafts: [{ ...draft(0, fakeClock(uptimeMs)), data: { text: 'x'.repeat(length) } }],
      state: {},
      resolve: (ids) => void resolved.push(ids),
    });
  for (let n = 1; n <= 5; n += 1) pushText(n, 3_000);
  assert.equal(queue.size, 2);
  assert.equal(dropped(), 3);
  assert.deepEqual(resolved, [[], [], []]);
  const { calls, gap } = queue.take({ events: 100, bytes: 5_000 });
  assert.deepEqual(gap, { count: 3, fromUptimeMs: 1, toUptimeMs: 3 });
  assert.equal(calls.length, 1);
  pushText(6, 20_000);
  assert.equal(
    queue.size,
    0,
    'one that is too large by itself is refused, and what waited before it is gone too',
  );
  assert.equal(queue.take({ events: 100, bytes: 5_000 }).gap?.count, 2);
});

test('waiting events take about as much memory as their text, whatever their data is [B4]', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const queue = new MemoryQueue({ events: 50_000, bytes: ANY }, () => undefined);
  collect();
  const before = process.memoryUsage().heapUsed;
  const hostile = `{"a":[${Array.from({ length: 21_000 }, () => '{}').join(',')}]}`;
  for (let n = 0; n < 256; n += 1) {
    const data = JSON.parse(hostile) as EventDraft['data'];
    queue.push({ drafts: [{ ...draft(n), data }], state: {}, resolve: () => undefined });
  }
  collect();
  const taken = process.memoryUsage().heapUsed - before;
  assert.ok(taken < 3 * 256 * hostile.length, `${taken} bytes for ${256 * hostile.length} of text`);
  const [first] = queue.take({ events: 1, bytes: ANY }).calls;
  assert.equal(JSON.stringify(first?.drafts[0]?.data), hostile);
});

test('what was taken is not kept in memory until the queue is next cut [B4]', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const queue = new MemoryQueue({ events: 1_000, bytes: ANY }, () => undefined);
  const taken = (() => {
    const drafts = [draft(0)];
    queue.push({ drafts, state: {}, resolve: () => undefined });
    queue.push({ drafts: [draft(1)], state: {}, resolve: () => undefined });
    return new WeakRef(queue.take({ events: 1, bytes: ANY }).calls[0]?.drafts ?? assert.fail());
  })();
  await until('it is collected', () => {
    collect();
    return taken.deref() === undefined;
  });
  assert.equal(queue.size, 1);
});
