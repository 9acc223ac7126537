import assert from 'node:assert/strict';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { loadConfig } from '../../src/config/load-config.ts';
import { printTrial, trialFileOf } from '../../src/policy/policy-trial.ts';
import { type PolicyChange, watchPolicyFiles } from '../../src/supervisor/policy-files.ts';
import { type FakeClock, fakeClock } from '../support/fake-clock.ts';
import { tempDir } from '../support/temp-dir.ts';
import type { Cleanup } from '../support/with-cleanup.ts';

const minuteMs = 60_000;

async function bench(
  t: Cleanup,
  rules: string | null,
  more: { readonly dir?: string; readonly clock?: FakeClock } = {},
) {
  const dir = more.dir ?? (await tempDir(t));
  const clock = more.clock ?? fakeClock();
  const file = path.join(dir, 'rules.conf');
  const overrideFile = path.join(dir, 'usb-override');
  if (rules !== null) writeFileSync(file, rules);
  const loaded = loadConfig({
    file: 'x',
    text: JSON.stringify({ policy: { mode: 'enforce', file, overrideFile, overrideMinutes: 15 } }),
    environment: {},
  });
  assert.ok(loaded.ok);
  const changes: PolicyChange[] = [];
  const health: string[] = [];
  mkdirSync(path.join(dir, 'run'), { recursive: true });
  const files = await watchPolicyFiles({
    config: loaded.config.policy,
    runDir: path.join(dir, 'run'),
    clock,
    report: (state, why) => health.push(`${state} ${why}`),
    onChange: (change) => changes.push(change),
    // Looked at by hand.
    periodMs: 3_600_000,
  });
  t.after(() => files.stop());
  const inForce = () => files.now().policy.rules.map(({ text }) => text);
  const trial = (text: string, minutes: number, bootId = clock.bootId) =>
    writeFileSync(
      trialFileOf(file),
      printTrial({
        bootId,
        untilUptimeMs: clock.uptimeMs() + minutes * minuteMs,
        isForced: false,
        rules: Buffer.from(text),
      }),
    );
  const states = () => changes.map(({ state }) => state);
  return { dir, clock, file, overrideFile, files, changes, states, health, inForce, trial };
}

test('rules are read at the start and again when their file changes; without a file there are none [U6]', async (t) => {
  const { file, files, inForce, states } = await bench(t, 'allow id 1111:1111\n');
  assert.deepEqual(inForce(), ['allow id 1111:1111']);
  const { generation } = files.now();
  await files.look();
  assert.equal(files.now().generation, generation, 'nothing has changed');
  writeFileSync(file, '# more\nallow id 1111:1111\nblock\n');
  await files.look();
  assert.deepEqual(inForce(), ['allow id 1111:1111', 'block']);
  assert.notEqual(files.now().generation, generation);
  rmSync(file);
  await files.look();
  assert.deepEqual(inForce(), []);
  assert.deepEqual(states(), ['in-force', 'in-force', 'in-force']);
});

test('a wrong file changes nothing, and health and event say the line [U10]', async (t) => {
  const { file, files, inForce, changes, health } = await bench(t, 'allow id 1111:1111\n');
  writeFileSync(file, 'allow id 1111:1111\npermit\n');
  await files.look();
  assert.deepEqual(inForce(), ['allow id 1111:1111']);
  assert.equal(changes.at(-1)?.state, 'refused');
  assert.match(changes.at(-1)?.why ?? '', /rules\.conf:2:1: expected allow, block, reject/);
  assert.match(health.at(-1) ?? '', /^degraded 1 rules in force; .*rules\.conf:2:1: /);
  writeFileSync(file, 'allow id 2222:2222\n# put right\n');
  await files.look();
  assert.deepEqual(inForce(), ['allow id 2222:2222']);
  assert.match(health.at(-1) ?? '', /^ok /);
});

test('a policy on probation holds until its time is over, whatever happens to the daemon [U10]', async (t) => {
  const one = await bench(t, 'block\n');
  one.trial('allow\n', 10);
  await one.files.look();
  assert.deepEqual(one.inForce(), ['allow']);
  one.clock.advance(6 * minuteMs);
  const again = await bench(t, null, one);
  assert.deepEqual(again.inForce(), ['allow'], 'the daemon was started again');
  one.clock.advance(5 * minuteMs);
  await again.files.look();
  assert.deepEqual(again.inForce(), ['block']);
  assert.equal(again.states().at(-1), 'returned');
  assert.ok(!existsSync(trialFileOf(one.file)));
});

test('a reboot, damage and rubbish end a probation [U10]', async (t) => {
  const { file, files, inForce, trial } = await bench(t, 'block\n');
  trial('allow\n', 10, 'another boot');
  await files.look();
  assert.deepEqual(inForce(), ['block']);
  for (const rubbish of [
    '',
    '{',
    '[]',
    '{"bootId":1}',
    '{"bootId":"x","untilUptimeMs":1e99,"isForced":true,"rulesBase64":"?"}',
  ]) {
    writeFileSync(trialFileOf(file), rubbish);
    await files.look();
    assert.deepEqual(inForce(), ['block'], rubbish);
    assert.ok(!existsSync(trialFileOf(file)), rubbish);
  }
  trial('allow\n', 2_000);
  await files.look();
  assert.deepEqual(inForce(), ['block'], 'more than a day is no probation');
  trial('permit\n', 10);
  await files.look();
  assert.deepEqual(inForce(), ['block'], 'rules that do not parse');
});

test('the override lasts its minutes and not longer, also over a restart of the daemon [U10]', async (t) => {
  const one = await bench(t, 'block\n');
  assert.equal(one.files.now().isOverridden, false);
  writeFileSync(one.overrideFile, '');
  await one.files.look();
  assert.equal(one.files.now().isOverridden, true);
  assert.match(one.health.at(-1) ?? '', /^degraded .*override is on/);
  one.clock.advance(10 * minuteMs);
  const again = await bench(t, null, one);
  assert.equal(again.files.now().isOverridden, true);
  one.clock.advance(5 * minuteMs);
  await again.files.look();
  assert.equal(again.files.now().isOverridden, false, '15 minutes after it began, not after the restart');
  assert.deepEqual(again.states().slice(-2), ['override-begun', 'override-ended']);
  rmSync(one.overrideFile);
  await again.files.look();
  assert.equal(again.files.now().isOverridden, false);
});
