// Rule files that cannot be read, probations that cannot be removed, and changes in the middle of a look.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { loadConfig } from '../../src/config/load-config.ts';
import { printTrial, trialFileOf } from '../../src/policy/policy-trial.ts';
import { type PolicyChange, watchPolicyFiles } from '../../src/supervisor/policy-files.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { openForReader } from '../support/open-for-reader.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import type { Cleanup } from '../support/with-cleanup.ts';

const NOBODY = 65_534;
const whyNot = process.getuid?.() === 0 ? false : 'only root can become somebody who may not read a file';

/** Permissions mean nothing to root. */
async function asNobody<T>(act: () => Promise<T>): Promise<T> {
  process.seteuid?.(NOBODY);
  try {
    return await act();
  } finally {
    process.seteuid?.(0);
  }
}

async function room(t: Cleanup) {
  const dir = await tempDir(t);
  chmodSync(dir, 0o755);
  const [file, overrideFile, runDir] = ['rules.conf', 'usb-override', 'run'].map((name) =>
    path.join(dir, name),
  ) as [string, string, string];
  mkdirSync(runDir);
  const loaded = loadConfig({
    file: 'x',
    text: JSON.stringify({ policy: { mode: 'enforce', file, overrideFile, overrideMinutes: 15 } }),
    environment: {},
  });
  assert.ok(loaded.ok);
  const { policy: config } = loaded.config;
  const clock = fakeClock();
  const changes: PolicyChange[] = [];
  const health: string[] = [];
  let onChange: (change: PolicyChange) => void = () => undefined;
  const watch = async () => {
    const files = await watchPolicyFiles({
      ...{ config, runDir, clock },
      report: (state, why) => health.push(`${state} ${why}`),
      onChange(change) {
        changes.push(change);
        onChange(change);
      },
      // Looked at by hand.
      periodMs: 3_600_000,
    });
    t.after(() => files.stop());
    return {
      files,
      inForce: () =>
        files
          .now()
          .policy.rules.map(({ text }) => text)
          .join('; '),
    };
  };
  const trialFile = trialFileOf(file);
  return {
    ...{ dir, file, trialFile, overrideFile, clock, changes, health, watch },
    states: () => changes.map(({ state }) => state),
    putTrial(rules: string, minutes = 10) {
      const untilUptimeMs = clock.uptimeMs() + minutes * 60_000;
      const facts = { bootId: clock.bootId, untilUptimeMs, isForced: false };
      writeFileSync(trialFile, printTrial({ ...facts, rules: Buffer.from(rules) }));
    },
    whenChanged(act: (change: PolicyChange) => void) {
      onChange = act;
    },
  };
}

test('rules that are in force stay while their file cannot be looked at, and health says it [U10]', async (t) => {
  const { file, changes, health, watch } = await room(t);
  writeFileSync(file, 'allow id 1111:1111\n');
  const { files, inForce } = await watch();
  renameSync(file, `${file}.kept`);
  symlinkSync(file, file);
  await files.look();
  await files.look();
  assert.equal(inForce(), 'allow id 1111:1111');
  assert.match(health.at(-1) ?? '', /^degraded 1 rules in force; .*rules\.conf cannot be read \(ELOOP/);
  assert.deepEqual(
    changes.map(({ state }) => state),
    ['in-force', 'refused'],
    'told once',
  );
  renameSync(`${file}.kept`, file);
  await files.look();
  assert.equal(inForce(), 'allow id 1111:1111');
  assert.match(health.at(-1) ?? '', /^ok /);
});

test('rules that could not be read once are read as soon as they can be, though the file is the same [U10]', {
  skip: whyNot,
}, async (t) => {
  const { file, health, states, watch } = await room(t);
  writeFileSync(file, 'allow id 1111:1111\n');
  chmodSync(file, 0o600);
  const { files, inForce } = await asNobody(watch);
  await asNobody(files.look);
  assert.deepEqual(states(), ['refused'], 'told once');
  assert.equal(inForce(), '');
  assert.match(health.at(-1) ?? '', /^degraded 0 rules in force; .*cannot be read \(EACCES/);
  await files.look();
  assert.equal(inForce(), 'allow id 1111:1111');
  assert.match(health.at(-1) ?? '', /^ok /);
});

test('an override and a probation go on while their files cannot be looked at, and end in time all the same [U10]', {
  skip: whyNot,
}, async (t) => {
  const { clock, dir, file, overrideFile, putTrial, watch } = await room(t);
  writeFileSync(file, 'block\n');
  writeFileSync(overrideFile, '');
  putTrial('allow\n', 5);
  const { files, inForce } = await watch();
  assert.deepEqual([inForce(), files.now().isOverridden], ['allow', true]);
  chmodSync(dir, 0o700);
  await asNobody(files.look);
  assert.deepEqual([inForce(), files.now().isOverridden], ['allow', true]);
  clock.advance(6 * 60_000);
  await asNobody(files.look);
  assert.deepEqual([inForce(), files.now().isOverridden], ['block', true]);
  clock.advance(10 * 60_000);
  await asNobody(files.look);
  assert.equal(files.now().isOverridden, false);
});

test('a refused probation that cannot be removed is told once, not every second [U10]', {
  skip: whyNot,
}, async (t) => {
  const { file, health, putTrial, states, trialFile, watch } = await room(t);
  writeFileSync(file, 'block\n');
  writeFileSync(trialFile, '{"damaged');
  const { files } = await asNobody(watch);
  const { generation } = files.now();
  for (let round = 0; round < 3; round++) await asNobody(files.look);
  assert.deepEqual(states(), ['in-force', 'returned']);
  assert.equal(files.now().generation, generation, 'nothing is judged again');
  assert.match(health.at(-1) ?? '', /^degraded 1 rules in force; .*\.trial cannot be removed \(EACCES/);
  await files.look();
  assert.ok(!existsSync(trialFile), 'removed as soon as it can be');
  assert.match(health.at(-1) ?? '', /^ok /);
  putTrial('allow\n');
  await files.look();
  assert.equal(states().at(-1), 'on-probation');
});

test('a probation that is confirmed in the middle of a look gives way to the confirmed rules alone [U10]', async (t) => {
  const { file, putTrial, states, trialFile, watch, whenChanged } = await room(t);
  writeFileSync(file, 'block\n');
  putTrial('allow\n');
  const { files, inForce } = await watch();
  assert.equal(inForce(), 'allow');
  const seen: string[] = [];
  whenChanged(() => {
    seen.push(inForce());
    if (!existsSync(trialFile)) return;
    // As `--confirm` does it, after the rules of this look were read.
    writeFileSync(file, '# confirmed\nallow\n');
    rmSync(trialFile);
  });
  writeFileSync(file, 'block id 1111:1111\nblock\n');
  await files.look();
  assert.equal(inForce(), 'allow');
  assert.ok(
    seen.every((rules) => rules === 'allow'),
    `in between: ${seen.join(' | ')}`,
  );
  assert.equal(states().at(-1), 'in-force');
});

test('who asks for a look gets one that began after he asked [U10]', async (t) => {
  const { file, trialFile, watch } = await room(t);
  writeFileSync(file, 'block\n');
  const { files, inForce } = await watch();
  // Whoever reads the probation waits for who writes it: the rules of this look are read by then.
  execFileSync('mkfifo', [trialFile]);
  const underway = files.look();
  const writer = await until('the probation is being read', () => openForReader(trialFile));
  writeFileSync(file, '# a rule of the page\nallow id 1111:1111\nblock\n');
  const asked = files.look();
  closeSync(writer);
  await asked;
  assert.equal(inForce(), 'allow id 1111:1111; block');
  await underway;
});
