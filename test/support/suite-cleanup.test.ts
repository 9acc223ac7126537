import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { suiteCleanup } from './suite-cleanup.ts';

const undone: string[] = [];

suite('a suite with things to undo', () => {
  const cleanup = suiteCleanup();
  test('its first test registers two steps [STYLE]', () => {
    cleanup.after(() => void undone.push('first'));
    cleanup.after(() => Promise.resolve().then(() => void undone.push('second')));
  });
  test('its second test finds nothing undone [STYLE]', () => assert.deepEqual(undone, []));
});

test('what was registered for a suite is undone once, in reverse order, after its last test [STYLE]', () =>
  assert.deepEqual(undone, ['second', 'first']));
