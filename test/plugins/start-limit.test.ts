import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { StartLimit } from '../../src/plugins/supervise/start-limit.ts';

const limitMs = 50;

async function overAfter(heldBackMs: () => Promise<number | null>): Promise<number> {
  const began = performance.now();
  await new Promise<void>((onOver) => new StartLimit({ limitMs, heldBackMs, onOver }));
  return performance.now() - began;
}

test('a start that nothing holds back is over at the limit [P9]', async () => {
  assert.ok((await overAfter(() => Promise.resolve(0))) >= limitMs);
  assert.ok((await overAfter(() => Promise.resolve(null))) >= limitMs);
});

test('what cannot be read does not lengthen a start [P9]', async () => {
  let reads = 0;
  const unreadable = () => {
    reads += 1;
    return Promise.reject(new Error('the leaf is gone'));
  };
  await overAfter(unreadable);
  // A timer that came a moment early is the only reason to look again.
  assert.ok(reads <= 2, `${reads}`);
});

test('the time that cpu.max held it back is added [P9]', async () => {
  assert.ok((await overAfter(() => Promise.resolve(60))) >= limitMs + 60);
});

test('a start is held back for ever: it is over all the same [P9]', async () => {
  const began = performance.now();
  assert.ok((await overAfter(() => Promise.resolve(performance.now() - began + 10))) >= 4 * limitMs);
});

test('a start that is through is never called over [P9]', async () => {
  const over: string[] = [];
  const early = new StartLimit({
    limitMs,
    heldBackMs: () => Promise.resolve(0),
    onOver: () => over.push('early'),
  });
  early.clear();
  const read = Promise.withResolvers<number>();
  const reading = new StartLimit({
    limitMs,
    heldBackMs: () => {
      reading.clear();
      return read.promise;
    },
    onOver: () => over.push('reading'),
  });
  await delay(2 * limitMs);
  read.resolve(0);
  await delay(0);
  assert.deepEqual(over, []);
});
