import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import type { SystemPackage } from '../../src/workbench/plan-steps.mjs';

test('an unknown task is one clear error [Q4]', () => {
  const { status, stderr } = spawnSync(process.execPath, ['src/workbench/ensure.mjs', 'tset'], {
    encoding: 'utf8',
  });
  assert.equal(status, 1);
  assert.equal(stderr, 'ensure: the task is start or test, not tset\n');
});

test('the scripts that come before npm packages import none [Q4]', () => {
  for (const name of ['ensure', 'ensure-task', 'read-host', 'plan-steps', 'run-step', 'hand-over']) {
    const source = readFileSync(`src/workbench/${name}.mjs`, 'utf8');
    for (const [, target = ''] of source.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)) {
      assert.match(target, /^(node:|\.\/[a-z-]+\.mjs$)/, `${name}.mjs imports ${target}`);
    }
  }
});

test('every system package says why, how it is recognised, and its name for apt and apk [Q4]', () => {
  const file = 'src/workbench/system-packages.json';
  const entries = JSON.parse(readFileSync(file, 'utf8')) as readonly SystemPackage[];
  assert.ok(entries.length > 0);
  assert.equal(new Set(entries.map(({ name }) => name)).size, entries.length, 'a name stands twice');
  for (const { name, tasks, why, proof, apt, apk } of entries) {
    assert.ok(why.length > 10, name);
    assert.ok(proof.length > 0 && apt.length > 0 && apk.length > 0, name);
    // What starts the product is also what its tests start.
    assert.ok(tasks.includes('test'), name);
  }
});
