import assert from 'node:assert/strict';
import test from 'node:test';
import { evaluatePolicy, type PolicyContext } from '../../src/policy/evaluate-policy.ts';
import { parsePolicy } from '../../src/policy/parse-policy.ts';
import type { InterfaceType, PolicyDevice } from '../../src/policy/policy-device.ts';
import type { Policy } from '../../src/policy/rule.ts';
import { createRuleHistory } from '../../src/policy/rule-history.ts';

const keyboard: PolicyDevice = {
  vendorId: '046d',
  productId: 'c31c',
  serial: '',
  name: 'USB Keyboard',
  hash: 'h1',
  parentHash: 'p1',
  viaPort: '1-1.4',
  connectType: 'hotplug',
  interfaces: types('03:01:01 03:00:00'),
  isHub: false,
};
const stick: PolicyDevice = {
  ...keyboard,
  vendorId: '0781',
  productId: '5567',
  serial: 'A1',
  name: 'Blade',
  hash: 'h2',
  viaPort: '1-2',
  interfaces: types('08:06:50'),
  isHub: false,
};

function types(text: string): readonly InterfaceType[] {
  return text.split(' ').map((each) => {
    const [code = 0, subclass = 0, protocol = 0] = each.split(':').map((part) => Number.parseInt(part, 16));
    return { class: code, subclass, protocol };
  });
}

function policyOf(text: string): Policy {
  const verdict = parsePolicy(Buffer.from(text));
  assert.ok(verdict.ok, `${text}: ${JSON.stringify(verdict)}`);
  return verdict.policy;
}

function judge(text: string, device: PolicyDevice, context: Partial<PolicyContext> = {}): string {
  const { target, rule } = evaluatePolicy(policyOf(text), device, {
    implicitTarget: 'block',
    uptimeMs: 0,
    secondOfDay: 12 * 3_600,
    random: () => 0.5,
    allowed: [],
    history: createRuleHistory(),
    ...context,
  });
  return `${target} ${rule?.number ?? 'implicit'}`;
}

test('the first rule that applies decides, otherwise the implicit target [U6]', () => {
  const policy = 'block id 1111:*\nallow id 046d:c31c\nreject id 046d:*\n';
  assert.equal(judge(policy, keyboard), 'allow 2');
  assert.equal(judge(policy, { ...keyboard, productId: 'c31d' }), 'reject 3');
  assert.equal(judge(policy, stick), 'block implicit');
  assert.equal(judge(policy, stick, { implicitTarget: 'reject' }), 'reject implicit');
  assert.equal(judge('', keyboard, { implicitTarget: 'allow' }), 'allow implicit');
});

test('each attribute alone decides whether a rule matches [U6]', () => {
  for (const [attribute, matches] of [
    ['id 046d:c31c', true],
    ['id 046d:*', true],
    ['id *:*', true],
    ['id 046D:C31C', false],
    ['name "USB Keyboard"', true],
    ['name "USB keyboard"', false],
    ['serial ""', true],
    ['serial "0"', false],
    ['hash "h1"', true],
    ['hash "h2"', false],
    ['parent-hash "p1"', true],
    ['parent-hash "x"', false],
    ['via-port "1-1.4"', true],
    ['via-port "1-1"', false],
    ['with-connect-type "hotplug"', true],
    ['with-connect-type ""', false],
    ['label "whatever"', true],
    ['with-interface { 03:01:01 03:00:00 }', true],
    ['with-interface 03:01:01', false],
  ] as const) {
    const expected = matches ? 'allow 1' : 'block implicit';
    assert.equal(judge(`allow ${attribute}`, keyboard), expected, attribute);
  }
});

test('the six set operators compare as the manual says, wildcards included [U6]', () => {
  const two = types('03:01:01 08:06:50');
  for (const [set, found, matches] of [
    ['all-of { 03:01:01 }', two, true],
    ['all-of { 03:01:01 08:*:* }', two, true],
    ['all-of { 03:01:01 09:00:00 }', two, false],
    ['one-of { 09:00:00 08:06:* }', two, true],
    ['one-of { 09:00:00 }', two, false],
    ['none-of { 09:00:00 }', two, true],
    ['none-of { 09:00:00 03:*:* }', two, false],
    ['equals { 08:06:50 03:01:01 }', two, true],
    ['equals { 03:*:* }', two, false],
    ['equals { 03:*:* 03:01:01 }', two, true],
    ['{ 03:01:01 08:06:50 03:01:01 }', two, false],
    ['equals-ordered { 03:01:01 08:06:50 }', two, true],
    ['equals-ordered { 08:06:50 03:01:01 }', two, false],
    ['match-all { 03:*:* 08:*:* 09:*:* }', two, true],
    ['match-all { 03:*:* }', two, false],
    ['match-all { 03:*:* }', [], true],
    ['none-of { 03:*:* }', [], true],
    ['all-of { 03:*:* }', [], false],
    ['one-of { 03:*:* }', [], false],
    ['equals { 03:*:* }', [], false],
  ] as const) {
    const device = { ...keyboard, interfaces: found };
    const expected = matches ? 'allow 1' : 'block implicit';
    assert.equal(judge(`allow with-interface ${set}`, device), expected, `${set} of ${found.length}`);
  }
  assert.equal(judge('allow id one-of { 0781:* 046d:* }', keyboard), 'allow 1');
  assert.equal(judge('allow id match-all { 046d:* }', keyboard), 'allow 1', 'unlike USBGuard');
  assert.equal(judge('allow name match-all { "x" "y" }', keyboard), 'block implicit', 'unlike USBGuard');
  assert.equal(judge('allow id none-of { 046d:* }', keyboard), 'block implicit');
});

test('conditions hold and are negated: true, false, random, sets of them [U6]', () => {
  assert.equal(judge('allow if true', keyboard), 'allow 1');
  assert.equal(judge('allow if false', keyboard), 'block implicit');
  assert.equal(judge('allow if !false', keyboard), 'allow 1');
  assert.equal(judge('allow if { true false }', keyboard), 'block implicit');
  assert.equal(judge('allow if one-of { false true }', keyboard), 'allow 1');
  assert.equal(judge('allow if none-of { false false }', keyboard), 'allow 1');
  assert.equal(judge('allow if none-of { false true }', keyboard), 'block implicit');
  assert.equal(judge('allow if random(0.3)', keyboard, { random: () => 0.29 }), 'allow 1');
  assert.equal(judge('allow if random(0.3)', keyboard, { random: () => 0.3 }), 'block implicit');
  assert.equal(judge('allow if random(0)', keyboard, { random: () => 0 }), 'block implicit');
  assert.equal(judge('allow if random(1)', keyboard, { random: () => 0.999 }), 'allow 1');
});

test('localtime holds within the range, both ends included, and without a clock fails closed [U6]', () => {
  const at = (hours: number, minutes: number) => ({ secondOfDay: hours * 3_600 + minutes * 60 });
  const office = 'allow if localtime(08:00-18:00)';
  assert.equal(judge(office, keyboard, at(8, 0)), 'allow 1');
  assert.equal(judge(office, keyboard, at(18, 0)), 'allow 1');
  assert.equal(judge(office, keyboard, at(7, 59)), 'block implicit');
  assert.equal(judge('allow if !localtime(08:00-18:00)', keyboard, at(20, 0)), 'allow 1');
  const unknown = { secondOfDay: null, implicitTarget: 'allow' } as const;
  assert.equal(judge(`${office}\nblock`, keyboard, unknown), 'block 2');
  assert.equal(judge('allow if !localtime(08:00-18:00)\nblock', keyboard, unknown), 'block 2');
  assert.equal(judge('block if localtime(08:00-18:00)', keyboard, unknown), 'block 1');
  assert.equal(judge('reject if one-of { localtime(08:00-18:00) false }', keyboard, unknown), 'reject 1');
  assert.equal(judge('allow if one-of { localtime(08:00-18:00) true }', keyboard, unknown), 'allow 1');
});

test('allowed-matches looks at the other allowed devices, conditions of the query left aside [U6]', () => {
  const second =
    'allow with-interface one-of { 03:01:01 } if !allowed-matches(with-interface one-of { 03:01:01 })';
  assert.equal(judge(second, keyboard), 'allow 1');
  assert.equal(judge(second, keyboard, { allowed: [stick] }), 'allow 1');
  assert.equal(judge(second, keyboard, { allowed: [{ ...keyboard, viaPort: '1-3' }] }), 'block implicit');
  assert.equal(
    judge('allow if allowed-matches(id 0781:* if false)', keyboard, { allowed: [stick] }),
    'allow 1',
  );
});

test('rule-applied and rule-evaluated look at the past of their own rule [U6]', () => {
  const history = createRuleHistory();
  const policy = 'allow id 046d:c31c if !rule-applied(00:00:30)';
  const at = (uptimeMs: number) => judge(policy, keyboard, { history, uptimeMs });
  assert.equal(at(1_000), 'allow 1');
  assert.equal(at(31_000), 'block implicit');
  assert.equal(at(31_001), 'allow 1');
  const once = createRuleHistory();
  const first = (uptimeMs: number) =>
    judge('allow if !rule-evaluated', keyboard, { history: once, uptimeMs });
  assert.equal(first(0), 'allow 1');
  assert.equal(first(1_000_000), 'block implicit');
  once.keepOnly(new Set());
  assert.equal(first(1_000_001), 'allow 1', 'a rule that left the policy is forgotten');
});
