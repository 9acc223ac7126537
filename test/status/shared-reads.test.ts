import assert from 'node:assert/strict';
import test from 'node:test';
import type { EventId } from '../../src/contracts/event.ts';
import { createSharedReads, type EventBatch } from '../../src/status/shared-reads.ts';

const at = (number: number): EventId => ({ generation: 1, number });

/** Reads that wait until they are told to go on. */
function pendingReads() {
  const started: (PromiseWithResolvers<EventBatch> & { readonly from: EventId })[] = [];
  const read = (from: EventId) => {
    const pending = { ...Promise.withResolvers<EventBatch>(), from };
    started.push(pending);
    return pending.promise;
  };
  return { started, read };
}

const fail = (cause: unknown) => assert.fail(String(cause));

test('those who wait for the same place share one read, and one that left is told nothing [S3]', async () => {
  const { started, read } = pendingReads();
  const reads = createSharedReads(read, { count: 50 });
  const told: string[] = [];
  const leave = reads.join(at(1), () => told.push('first'), fail);
  reads.join(at(1), () => told.push('second'), fail);
  assert.equal(started.length, 1);
  leave();
  started[0]?.resolve({ events: [], position: at(1) });
  await started[0]?.promise;
  assert.deepEqual(told, ['second']);
  reads.join(at(1), () => told.push('third'), fail);
  assert.equal(started.length, 2, 'a read that has ended is not given to those who come later');
});

test('however many come and go at however many places, few reads are pending [S3]', async () => {
  const { started, read } = pendingReads();
  const reads = createSharedReads(read, { count: 50, mostAtOnce: 3 });
  for (let number = 0; number < 500; number++) reads.join(at(number), fail, fail)();
  const told: number[] = [];
  for (let number = 1_000; number < 1_010; number++)
    reads.join(at(number), ({ position }) => told.push(position.number), fail);
  assert.equal(started.length, 3);
  for (let n = 0; n < started.length; n++) {
    const { from, resolve, promise } = started[n] ?? assert.fail();
    resolve({ events: [], position: from });
    await promise;
  }
  assert.deepEqual(
    told,
    Array.from({ length: 10 }, (_, n) => 1_000 + n),
  );
  assert.equal(started.length, 13, 'nobody waits for what was never begun');
});

test('a read that fails is told to all who wait, and begun again for those who ask again [S3]', async () => {
  const { started, read } = pendingReads();
  const reads = createSharedReads(read, { count: 50 });
  const told: unknown[] = [];
  reads.join(at(1), fail, (cause) => told.push(cause));
  reads.join(at(1), fail, (cause) => told.push(cause));
  started[0]?.reject('stopped');
  await started[0]?.promise.catch(() => undefined);
  assert.deepEqual(told, ['stopped', 'stopped']);
  reads.join(at(1), fail, fail);
  assert.equal(started.length, 2);
});
