import assert from 'node:assert/strict';
import test from 'node:test';
import { createSequenceWatch } from '../../src/usb/sequence-watch.ts';

test('a number that comes after its gap was taken counts once, as two processors may send neighbours in turned order [U2]', () => {
  const sequence = createSequenceWatch();
  const saw = (...numbers: readonly number[]) => numbers.map((each) => sequence.saw(each));
  assert.deepEqual(saw(100, 102, 101, 101, 102), [true, true, true, false, false]);
  assert.equal(sequence.takeGap(), false);
  assert.deepEqual(saw(104), [true]);
  // The clock ticks just between the two.
  assert.equal(sequence.takeGap(), true);
  assert.deepEqual(saw(103, 103, 104), [true, false, false]);
  assert.equal(sequence.takeGap(), false);
});

test('the neighbour of the first number counts as well, once; what is long past does not [U2]', () => {
  const sequence = createSequenceWatch();
  assert.deepEqual(
    [100, 99, 99, 100, 10].map((each) => sequence.saw(each)),
    [true, true, false, false, false],
  );
  assert.equal(sequence.first(), 100);
  assert.equal(sequence.takeGap(), false);
});

test('a long gap is told and bounded [U2]', () => {
  const sequence = createSequenceWatch();
  sequence.saw(1);
  sequence.saw(1_000_000);
  assert.ok(sequence.takeGap());
  for (let each = 2_000_000; each < 2_010_000; each += 2) {
    sequence.saw(each);
    sequence.takeGap();
  }
  assert.deepEqual([sequence.saw(2_009_997), sequence.saw(1_500_001)], [true, false]);
});
