import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import { loadConfig } from '../../src/config/load-config.ts';
import { evaluatePolicy } from '../../src/policy/evaluate-policy.ts';
import { parsePolicy } from '../../src/policy/parse-policy.ts';
import type { PolicyDevice } from '../../src/policy/policy-device.ts';
import { trialFileOf } from '../../src/policy/policy-trial.ts';
import { createRuleHistory } from '../../src/policy/rule-history.ts';
import { createDeviceJudge } from '../../src/supervisor/judge-device.ts';
import { tempDir } from '../support/temp-dir.ts';

const keyboard: PolicyDevice = {
  ...{
    vendorId: '046d',
    productId: 'c31c',
    serial: '',
    name: 'K\u00ff"\n',
    hash: 'aGFzaA==',
    parentHash: 'cA==',
  },
  ...{ viaPort: '1-1', connectType: 'hotplug', interfaces: [{ class: 3, subclass: 1, protocol: 1 }] },
};

const mouse: PolicyDevice = { ...keyboard, productId: 'c077', name: 'M', hash: 'bW91c2U=', viaPort: '1-3' };

async function world(t: Parameters<typeof tempDir>[0], mode: 'report' | 'enforce' = 'enforce') {
  const file = path.join(await tempDir(t), 'rules.conf');
  const loaded = loadConfig({ file: 'x', text: JSON.stringify({ policy: { file, mode } }), environment: {} });
  assert.ok(loaded.ok);
  const config = loaded.config.policy;
  let obeyed = 0;
  const gatekeeper = {
    deviceAt: (port: string) => (port === '1-1' ? keyboard : port === '1-3' ? mouse : null),
    addressAt: () => 7,
    protectedBy: (port: string) => (port === '1-2' ? ('boot-medium' as const) : null),
  };
  const judgeDevice = createDeviceJudge({
    config,
    gatekeeper: () => gatekeeper,
    obey: async () => {
      obeyed += 1;
    },
  });
  const judge = (target: 'allow' | 'block', port = '1-1', reason = 'ada: seen') =>
    judgeDevice({ port, target, reason });
  const verdict = async () => {
    const parsed = parsePolicy(await readFile(file));
    assert.ok(parsed.ok, JSON.stringify(parsed));
    return evaluatePolicy(parsed.policy, keyboard, {
      ...{ implicitTarget: 'block', uptimeMs: 0, secondOfDay: null, random: Math.random },
      ...{ allowed: [], history: createRuleHistory() },
    }).target;
  };
  return { file, config, judge, judgeDevice, verdict, obeyed: () => obeyed };
}

test('a device that an operator allows or blocks has a rule of its own before all others [U6]', async (t) => {
  const { file, judge, verdict, obeyed } = await world(t);
  const before = '# kept as it is\nreject id 046d:*\n\nallow with-interface 08:*:*\n';
  await writeFile(file, before);
  assert.equal(await verdict(), 'reject');
  assert.deepEqual(await judge('allow'), { ok: true, detail: '1-1 has a rule: allow' });
  assert.equal(await verdict(), 'allow');
  await judge('block', '1-1', 'eve: \u0007"\nallow id *:*');
  assert.equal(await verdict(), 'block');
  const text = await readFile(file, 'latin1');
  assert.ok(text.endsWith(before), 'the rest stays byte for byte');
  assert.equal(text.split('\n').length, before.split('\n').length + 1, 'the earlier one has gone');
  assert.equal(obeyed(), 2);
});

test('without a file of rules one is made; in report it is only told [U6]', async (t) => {
  const { judge, verdict } = await world(t, 'report');
  const done = await judge('allow');
  assert.ok(done.ok && /only told/.test(done.detail));
  assert.equal(await verdict(), 'allow');
});

test('what is protected, not there, on probation or damaged is refused, and nothing is written [U10]', async (t) => {
  const { file, config, judge, obeyed } = await world(t);
  const code = async (verdict: ReturnType<typeof judge>) => {
    const got = await verdict;
    return got.ok ? 'ok' : got.code;
  };
  const gatekeeper = {
    ...{ deviceAt: () => keyboard, addressAt: () => 7, protectedBy: () => 'boot-medium' as const },
  };
  const asked = { port: '1-2', target: 'block', reason: 'x' } as const;
  const obey = async () => assert.fail('nothing has changed');
  const of = (found: typeof gatekeeper | undefined) =>
    createDeviceJudge({ config, gatekeeper: () => found, obey });
  assert.equal(await code(of(gatekeeper)(asked)), 'policy.safety-floor');
  assert.equal(await code(of(undefined)(asked)), 'policy.unavailable');
  assert.equal(await code(judge('allow', '1-9')), 'policy.not-there');
  await writeFile(trialFileOf(file), '{}');
  assert.equal(await code(judge('allow')), 'policy.on-probation');
  await rm(trialFileOf(file));
  await writeFile(file, 'alow id 1:1\n');
  assert.equal(await code(judge('allow')), 'policy.damaged');
  assert.equal(await readFile(file, 'utf8'), 'alow id 1:1\n');
  assert.equal(obeyed(), 0);
});

test('two devices that are judged at the same moment both have their rule [U6]', async (t) => {
  const { file, judge } = await world(t);
  const verdicts = await Promise.all([judge('block', '1-1'), judge('block', '1-3'), judge('allow', '1-9')]);
  assert.deepEqual(
    verdicts.map(({ ok }) => ok),
    [true, true, false],
  );
  const text = await readFile(file, 'latin1');
  for (const { hash } of [keyboard, mouse]) assert.ok(text.includes(hash), text);
});

test('a device that was exchanged for another one since it was looked at is not judged [U6]', async (t) => {
  const { file, judgeDevice } = await world(t);
  const asked = { port: '1-1', target: 'allow', reason: 'x' } as const;
  const verdict = await judgeDevice({ ...asked, address: 6 });
  assert.ok(!verdict.ok && verdict.code === 'policy.another-device');
  await assert.rejects(readFile(file), { code: 'ENOENT' });
  assert.ok((await judgeDevice({ ...asked, address: 7 })).ok);
});
