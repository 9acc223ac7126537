import assert from 'node:assert/strict';
import test from 'node:test';
import { reportClock } from '../../src/supervisor/report-clock.ts';
import { fakeClock } from '../support/fake-clock.ts';

test('the clock is told once it becomes right, with what sets earlier events right, and not at every answer [U9]', () => {
  const clock = fakeClock(5_000);
  const said: { readonly offsetMs: number }[] = [];
  const states: string[] = [];
  const answer = reportClock({
    clock,
    report: (state) => states.push(state),
    onSynchronized: (data) => said.push(data),
  });
  answer(null, null);
  answer(false, 'chronyc');
  clock.advance(60_000);
  clock.wallMs = Date.UTC(2026, 10, 20);
  answer(true, 'chronyc');
  clock.advance(30_000);
  answer(true, 'chronyc');
  assert.deepEqual(states, ['unknown', 'degraded', 'ok', 'ok']);
  assert.deepEqual(said, [{ offsetMs: Date.UTC(2026, 10, 20) - 65_000 }]);
});

test('a clock that was lost and is right again is told again [U9]', () => {
  const said: object[] = [];
  const answer = reportClock({
    clock: fakeClock(),
    report: () => undefined,
    onSynchronized: (data) => said.push(data),
  });
  for (const synced of [true, false, true]) answer(synced, 'timedatectl');
  assert.equal(said.length, 2);
});
