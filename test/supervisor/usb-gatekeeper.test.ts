import assert from 'node:assert/strict';
import test from 'node:test';
import { loadConfig } from '../../src/config/load-config.ts';
import type { UnjudgedDevice } from '../../src/contracts/usb-policy.ts';
import { parsePolicy } from '../../src/policy/parse-policy.ts';
import { createGatekeeper } from '../../src/supervisor/usb-gatekeeper.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { descriptorSet } from '../usb/corpus.ts';
import { rawDescriptors } from './raw-descriptors.ts';

function device(port: string, id: string, types: string, more: Partial<UnjudgedDevice> = {}): UnjudgedDevice {
  const isRoot = port.startsWith('usb');
  return {
    port,
    parentPort: isRoot ? null : `usb${port[0]}`,
    parentPath: isRoot ? '/devices/pci0000:00/0000:00:05.0' : '',
    address: 2,
    descriptors: rawDescriptors(id, types),
    product: Buffer.from('a device'),
    serial: null,
    connectType: null,
    isAuthorized: false,
    ...more,
  };
}

const keyboard = (port: string, more: Partial<UnjudgedDevice> = {}) =>
  device(port, '046d:c31c', '03:01:01 03:00:00', more);

function bench(
  rules: string,
  policy: Readonly<Record<string, unknown>> = {},
  more: { readonly bootPorts?: readonly string[]; readonly isForced?: boolean } = {},
) {
  const loaded = loadConfig({
    file: 'x',
    text: JSON.stringify({ policy: { mode: 'enforce', ...policy } }),
    environment: {},
  });
  assert.ok(loaded.ok);
  const state = { rules, isOverridden: false, generation: 0 };
  const suspected: { readonly port: string; readonly score: number }[] = [];
  const clock = fakeClock();
  const gatekeeper = createGatekeeper({
    config: loaded.config.policy,
    clock,
    random: () => 0.5,
    bootPorts: new Set(more.bootPorts ?? []),
    isBootTold: true,
    files: {
      now() {
        const parsed = parsePolicy(Buffer.from(state.rules));
        assert.ok(parsed.ok);
        const { isOverridden, generation } = state;
        return { policy: parsed.policy, isForced: more.isForced ?? false, isOverridden, generation };
      },
    },
    onSuspected: (data) => suspected.push(data),
  });
  const judge = (each: UnjudgedDevice) => {
    const { target = '', by = '' } = gatekeeper.judge(each) ?? {};
    return `${target} ${by}`;
  };
  return { judge, gatekeeper, state, suspected, clock };
}

test('rules decide, then the implicit target, and the reason names the rule [U6]', () => {
  const { judge, gatekeeper } = bench('allow id 046d:c31c\n');
  assert.equal(judge(device('usb1', '1d6b:0002', '09:00:00')), 'allow floor');
  assert.equal(judge(keyboard('1-1')), 'allow rule');
  assert.equal(judge(device('1-2', '0781:5567', '08:06:50')), 'block implicit');
  assert.deepEqual(gatekeeper.judge(keyboard('1-3')), {
    target: 'allow',
    by: 'rule',
    line: 1,
    reason: 'allow id 046d:c31c',
    enforced: true,
  });
});

test('root hubs, hubs and the boot medium are allowed whatever the rules say; what claims to be more is judged [U10]', () => {
  const { judge, gatekeeper } = bench('reject\n', {}, { bootPorts: ['2-1'] });
  assert.equal(judge(device('usb2', '1d6b:0003', '09:00:00')), 'allow floor');
  assert.equal(
    judge(device('2-2', '05e3:0608', '09:00:01', { descriptors: descriptorSet('hub-2') })),
    'allow floor',
  );
  assert.equal(
    judge(device('2-3', '05e3:0610', '09:00:00 03:01:01')),
    'reject rule',
    'a hub with a keyboard is no hub',
  );
  const boot = device('2-1', '0781:5567', '08:06:50', { address: 5 });
  assert.equal(judge(boot), 'allow floor');
  assert.equal(
    judge({ ...boot, address: 9 }),
    'reject rule',
    'what was plugged in there since is no boot medium',
  );
  gatekeeper.forget('2-1');
  assert.equal(judge(boot), 'reject rule', 'nor is what came after it left, whatever its address');
});

test('a device that cannot be read is blocked, whatever the rules say [U6]', () => {
  const { judge, state } = bench('allow\n');
  assert.equal(judge(keyboard('1-1', { descriptors: null })), 'block unreadable');
  assert.equal(
    judge(keyboard('1-1', { descriptors: rawDescriptors('046d:c31c', '03:01:01').subarray(0, 30) })),
    'block unreadable',
  );
  state.isOverridden = true;
  assert.equal(
    judge(keyboard('1-1', { descriptors: null })),
    'allow unreadable',
    'the override is for everything',
  );
});

test('the last keyboard that works stays, unless the policy was forced; one that never worked does not count [U10]', () => {
  const { judge, state } = bench('allow id 046d:c31c\n');
  assert.equal(judge(keyboard('1-1')), 'allow rule');
  assert.equal(judge(keyboard('1-2')), 'allow rule');
  state.rules = 'block\n';
  state.generation++;
  assert.equal(judge(keyboard('1-1', { isAuthorized: true })), 'block rule', 'another one is left');
  assert.equal(judge(keyboard('1-2', { isAuthorized: true })), 'allow floor');
  assert.equal(judge(keyboard('1-3')), 'block rule');
  const forced = bench('block\n', {}, { isForced: true });
  assert.equal(forced.judge(keyboard('1-1', { isAuthorized: true })), 'block rule');
});

test('with report everything works and the verdict is only told [U6]', () => {
  const { gatekeeper } = bench('', { mode: 'report' });
  const verdict = gatekeeper.judge(keyboard('1-1'));
  assert.deepEqual([verdict?.target, verdict?.enforced], ['block', false]);
});

test('allowed-matches sees the devices that are allowed now, and forgets those that left [U6]', () => {
  const { judge, gatekeeper } = bench(
    'allow with-interface one-of { 03:01:01 } if !allowed-matches(with-interface one-of { 03:01:01 })\n',
  );
  assert.equal(judge(keyboard('1-1')), 'allow rule');
  assert.equal(judge(keyboard('1-2')), 'block implicit');
  assert.equal(judge(keyboard('1-1')), 'allow rule', 'asked again, the same answer');
  gatekeeper.forget('1-1');
  assert.equal(judge(keyboard('1-2')), 'allow rule');
});

test('the guard reports, and blocks where it is told to, devices that rules allow [U7]', () => {
  const rubber = device('1-1', '0781:5567', '08:06:50 03:01:01');
  const reporting = bench('allow\n');
  assert.equal(reporting.judge(rubber), 'allow rule');
  assert.deepEqual(
    reporting.suspected.map(({ port, score }) => [port, score]),
    [['1-1', 100]],
  );
  const blocking = bench('allow\n', { guard: 'block' });
  assert.equal(blocking.judge(rubber), 'block guard');
  assert.equal(blocking.judge({ ...rubber, address: 3 }), 'block guard', 'a replug clears nothing');
  assert.equal(blocking.judge({ ...rubber, address: 3, descriptors: null }), 'block unreadable');
  assert.equal(blocking.judge({ ...rubber, address: 3 }), 'block guard');
  assert.equal(blocking.suspected.length, 2, 'two plugs; that it could not be read in between is none');
  const excused = bench('allow label "rack composite"\n', { guard: 'block' });
  assert.equal(excused.judge(rubber), 'allow rule');
  assert.equal(bench('allow\n', { guard: 'off' }).judge(rubber), 'allow rule');
});

test('a keyboard that types like a machine is blocked from then on, a named scanner is not [U7]', () => {
  const { judge, gatekeeper, suspected } = bench('allow\n', { guard: 'block' });
  assert.equal(judge(keyboard('1-1')), 'allow rule');
  const before = gatekeeper.generation();
  gatekeeper.typed('1-1', 25);
  assert.equal(gatekeeper.generation(), before);
  gatekeeper.typed('1-1', 800);
  assert.notEqual(gatekeeper.generation(), before, 'everything is judged again');
  assert.equal(judge(keyboard('1-1')), 'block guard');
  assert.equal(judge(keyboard('1-2', { address: 7 })), 'block guard', 'the same device at another port');
  assert.equal(suspected.length, 1);
  const scanner = bench('allow label "till 3 types-fast"\n', { guard: 'block' });
  assert.equal(scanner.judge(keyboard('1-1')), 'allow rule');
  scanner.gatekeeper.typed('1-1', 800);
  assert.equal(scanner.judge(keyboard('1-1')), 'allow rule');
});

test('a verdict is as old as its outcome: judged again it keeps its time, another one or another device has its own [U6] [S7]', () => {
  const { judge, gatekeeper, state, clock } = bench('allow id 046d:c31c\n', {}, { isForced: true });
  const at = () => {
    const given = gatekeeper.verdictAt('1-1');
    return given === null ? null : `${given.verdict.target} ${given.sinceUptimeMs}`;
  };
  assert.equal(at(), null);
  judge(keyboard('1-1'));
  assert.equal(at(), 'allow 1000');
  clock.advance(5_000);
  judge(keyboard('1-1'));
  assert.equal(at(), 'allow 1000');
  state.rules = 'block id 046d:c31c\n';
  judge(keyboard('1-1'));
  assert.equal(at(), 'block 6000');
  clock.advance(1_000);
  judge(keyboard('1-1', { address: 3 }));
  assert.equal(at(), 'block 7000', 'another device');
  judge(keyboard('1-1', { address: 3, descriptors: null }));
  assert.equal(gatekeeper.verdictAt('1-1')?.verdict.by, 'unreadable');
  gatekeeper.forget('1-1');
  assert.equal(at(), null);
});
