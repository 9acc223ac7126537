import assert from 'node:assert/strict';
import test from 'node:test';
import { parseReading, type Reading } from '../src/parse-reading.ts';
import { toLines } from '../src/to-lines.ts';
import { createWeightWatch, type Told } from '../src/weight-watch.ts';

const weight = (value: number, unit: string, stable: boolean): Reading => ({
  kind: 'weight',
  value,
  unit,
  stable,
});

test('lines of both protocols are read, and nothing else is taken for a weight [P12]', () => {
  const lines: readonly (readonly [string, Reading | null])[] = [
    ['ST,GS,+  1.234kg', weight(1.234, 'kg', true)],
    ['US,NT,-00012.50 g', weight(-12.5, 'g', false)],
    ['ST,GS,   0.000kg', weight(0, 'kg', true)],
    ['ST,+00100.0  g', weight(100, 'g', true)],
    ['OL,GS,', { kind: 'overload' }],
    ['S S     100.00 g', weight(100, 'g', true)],
    ['S D      -5.10 kg', weight(-5.1, 'kg', false)],
    ['S +', { kind: 'overload' }],
    ['S I', null],
    ['ES', null],
    ['ST,GS,+  1.2', null],
    ['T,GS,+  1.234kg', null],
    ['I4 A "0123456789"', null],
    ['', null],
  ];
  for (const [line, reading] of lines) assert.deepEqual(parseReading(line, 'auto'), reading, line);
  assert.equal(parseReading('S S 1 g', 'status-line'), null);
  assert.equal(parseReading('ST,GS,+1kg', 'sics'), null);
});

test('a weight is told once it has come to rest, once; an empty scale and an overload too [P12]', () => {
  const watch = createWeightWatch({ stableReadings: 3, tolerance: 0.001, minChange: 0.002 });
  const told = (...readings: readonly Reading[]): readonly (Told | null)[] =>
    readings.map((each) => watch.take(each));
  const kg = (value: number, stable = true) => weight(value, 'kg', stable);
  assert.deepEqual(told(kg(0), kg(0), kg(0), kg(0.4), kg(1.1)), [null, null, null, null, null]);
  // Still moving, then three that are alike within the tolerance.
  const rest = told(kg(1.234, false), kg(1.234), kg(1.2345), kg(1.234), kg(1.234));
  assert.deepEqual(rest, [null, null, null, { type: 'weight', value: 1.234, unit: 'kg' }, null]);
  // Touched and let go: the same weight is not told again, another one is.
  assert.deepEqual(told(kg(1.5, false), kg(1.235), kg(1.235), kg(1.235)), [null, null, null, null]);
  const more = told(kg(2), kg(2), kg(2));
  assert.deepEqual(more, [null, null, { type: 'weight', value: 2, unit: 'kg' }]);
  assert.deepEqual(told({ kind: 'overload' }, { kind: 'overload' }), [{ type: 'overload' }, null]);
  assert.deepEqual(told(kg(0), kg(0), kg(0), kg(0)), [null, null, { type: 'empty', unit: 'kg' }, null]);
});

test('lines come out whole however the bytes are cut, and noise without an end is dropped [P12]', async () => {
  async function* chunks() {
    for (const text of ['ST,GS,+  1.', '234kg\r', '\nS S ', ' 5 g\n', 'x'.repeat(500), '\nES\r\n'])
      yield Buffer.from(text);
  }
  const lines: string[] = [];
  for await (const line of toLines(chunks())) lines.push(line);
  assert.deepEqual(lines.slice(0, 2), ['ST,GS,+  1.234kg', 'S S  5 g']);
  assert.equal(lines.at(-1), 'ES');
});
