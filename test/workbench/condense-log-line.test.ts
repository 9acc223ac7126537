import assert from 'node:assert/strict';
import test from 'node:test';
import { condenseLogLine } from '../../src/workbench/condense-log-line.ts';

const line = (entry: object) => JSON.stringify({ level: 'info', time: '2026-11-20T10:00:00.123Z', ...entry });

test('a log line becomes time, level, sentence and facts [M3]', () => {
  const shown = condenseLogLine(line({ part: 'buffer', msg: 'Redis is back', queued: 3 }));
  assert.match(shown ?? '', /^\d\d:\d\d:\d\d info {2}Redis is back part=buffer queued=3$/);
});

test('an error shows its message and not its stack [M3]', () => {
  const err = { message: 'connect ECONNREFUSED', code: 'ECONNREFUSED', stack: 'Error: …\n    at …' };
  const shown = condenseLogLine(line({ level: 'error', msg: 'stopping', err })) ?? '';
  assert.match(shown, /error stopping err="connect ECONNREFUSED"$/);
});

test('debug lines are not shown, warnings are [M3]', () => {
  assert.equal(condenseLogLine(line({ level: 'debug', msg: 'detail' })), null);
  assert.equal(condenseLogLine(line({ level: 20, msg: 'detail' })), null);
  assert.match(condenseLogLine(line({ level: 40, msg: 'careful' })) ?? '', / warn {2}careful$/);
});

test('long facts are cut, and what is no log line is shown as it is [M3]', () => {
  assert.ok(
    (condenseLogLine(line({ msg: 'x', list: Array.from({ length: 900 }, () => 1) })) ?? '').length < 200,
  );
  for (const text of ['plain words', '{"torn": ', '{"a":1}', '']) assert.equal(condenseLogLine(text), text);
});
