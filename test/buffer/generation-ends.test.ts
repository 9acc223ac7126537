import assert from 'node:assert/strict';
import test from 'node:test';
import { countAfter, stepBack } from '../../src/buffer/generation-ends.ts';
import { toRanges } from '../../src/buffer/read-events.ts';

const ends = new Map([
  [5, 20],
  [2, 100],
  [3, 7],
]);
const at = (generation: number, number: number) => ({ generation, number });

test('counting over generations adds what each of them still holds after a place [B2]', () => {
  assert.equal(countAfter(at(5, 20), ends), 0);
  assert.equal(countAfter(at(5, 25), ends), 0);
  assert.equal(countAfter(at(5, 1), ends), 19);
  assert.equal(countAfter(at(4, 9), ends), 20);
  assert.equal(countAfter(at(2, 90), ends), 10 + 7 + 20);
  assert.equal(countAfter(at(0, 0), ends), 127);
});

test('stepping back crosses generations and ends at the start [B2]', () => {
  assert.deepEqual(stepBack(at(5, 20), 20, ends), at(5, 1));
  assert.deepEqual(stepBack(at(5, 20), 21, ends), at(3, 7));
  assert.deepEqual(stepBack(at(5, 3), 12, ends), at(2, 99));
  assert.deepEqual(stepBack(at(5, 3), 10_000, ends), at(0, 0));
});

test('damaged ids become runs of consecutive ones [B1]', () => {
  const ids = [at(1, 2), at(1, 3), at(1, 5), at(2, 6), at(2, 7)];
  assert.deepEqual(toRanges(ids), [
    { from: at(1, 2), to: at(1, 3) },
    { from: at(1, 5), to: at(1, 5) },
    { from: at(2, 6), to: at(2, 7) },
  ]);
});
