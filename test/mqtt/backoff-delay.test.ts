import assert from 'node:assert/strict';
import test from 'node:test';
import { backoffDelayMs } from '../../src/mqtt/backoff-delay.ts';
import { seededRandom } from '../support/seeded-random.ts';

const backoff = { minMs: 500, maxMs: 60_000 };

test('the back-off doubles its ceiling up to the maximum, from the minimum on [L1]', () => {
  const highest = (attempt: number) => Math.round(backoffDelayMs(attempt, backoff, () => 0.999999));
  assert.deepEqual([0, 1, 2, 6, 7, 1_000].map(highest), [1_000, 2_000, 4_000, 60_000, 60_000, 60_000]);
  assert.equal(
    backoffDelayMs(5, backoff, () => 0),
    500,
  );
});

test('the back-off spreads appliances over the whole range [L1]', () => {
  const { next } = seededRandom(1);
  const delays = Array.from({ length: 1_000 }, () => backoffDelayMs(20, backoff, next));
  const tenth = (n: number) => delays.filter((ms) => Math.floor(((ms - 500) / 59_500) * 10) === n).length;
  for (let n = 0; n < 10; n++) assert.ok(tenth(n) > 60, `${tenth(n)} of 1,000 in tenth ${n}`);
});

test('a maximum below the minimum does not turn the back-off round [L1]', () => {
  assert.equal(
    backoffDelayMs(3, { minMs: 500, maxMs: 10 }, () => 0.5),
    500,
  );
});
