// Whether somebody else ended a plugin's process, from how it ended.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wasKilled } from '../../src/plugins/supervise/was-killed.ts';

const use = {
  ...{ memoryBytes: 1, memoryPeakBytes: 1, cpuUsec: 1, throttledUsec: 0 },
  ...{ processes: 0, oomKills: 0, refusedPids: 0 },
};
const end = { by: 'itself', code: null, signal: null, use } as const;

test('signal 9 from outside is a killing, with bubblewrap around it and without [P10]', () => {
  for (const isWrapped of [true, false])
    assert.equal(wasKilled({ ...end, signal: 'SIGKILL', use: null }, isWrapped), true);
  assert.equal(wasKilled({ ...end, code: 137 }, true), true);
});

test('exit code 137 of a process that nothing wraps is its own doing [P10]', () => {
  assert.equal(wasKilled({ ...end, code: 137 }, false), false);
});

test('what the memory limit ends is no killing by others, whatever number says so [P10]', () => {
  const oom = { ...use, oomKills: 1 };
  assert.equal(wasKilled({ ...end, signal: 'SIGKILL', use: oom }, true), false);
  assert.equal(wasKilled({ ...end, code: 137, use: oom }, true), false);
});

test('what the appliance ends itself is no killing by others [P10]', () => {
  for (const by of ['terminate', 'sigkill', 'cgroup.kill'] as const)
    assert.equal(wasKilled({ ...end, by, signal: 'SIGKILL' }, true), false);
});

test('another exit code or signal is a crash [P10]', () => {
  assert.equal(wasKilled({ ...end, code: 0 }, true), false);
  assert.equal(wasKilled({ ...end, code: 134 }, true), false);
  assert.equal(wasKilled({ ...end, signal: 'SIGABRT' }, false), false);
});
