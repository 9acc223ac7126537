// What the guard holds against a device stays so, whatever makes the gate ask again.
import assert from 'node:assert/strict';
import test from 'node:test';
import { policyRig } from './policy-rig.ts';
import { rawDescriptors } from './raw-descriptors.ts';

const rubber = rawDescriptors('0781:5567', '08:06:50 03:01:01');
const keyboard = rawDescriptors('046d:c31c', '03:01:01 03:00:00');

test('what the guard blocked stays blocked when rules for other devices change, until a label excuses it [U7]', async (t) => {
  const rig = await policyRig(t, 'allow\n');
  await rig.plug('1-1', 20, rubber);
  assert.equal(rig.state('1-1'), '0 block guard');
  await rig.setRules('block id 1111:1111\nallow\n');
  assert.equal(rig.state('1-1'), '0 block guard', 'a rule for another device');
  await rig.plug('1-2', 21, keyboard);
  rig.gatekeeper.typed('1-2', 800);
  await rig.settled();
  assert.equal(rig.state('1-1'), '0 block guard', 'somebody typed at another port');
  assert.equal(rig.suspected.length, 2, 'each is told once');
  await rig.setRules('allow label "composite"\n');
  assert.equal(rig.state('1-1'), '1 allow rule', 'a label that excuses it');
  await rig.setRules('allow\n');
  assert.equal(rig.state('1-1'), '0 block guard', 'the excuse is taken back');
  assert.equal(rig.suspected.length, 3, 'and that is news');
});

test('an override lets in what the guard blocked for as long as it lasts, and not longer [U7] [U10]', async (t) => {
  const rig = await policyRig(t, 'allow\n', { policy: { overrideMinutes: 15 } });
  await rig.override(true);
  await rig.plug('1-1', 20, rubber);
  assert.equal(rig.state('1-1'), '1 allow override');
  await rig.override(false);
  assert.equal(rig.state('1-1'), '0 block guard');
});

test('a keyboard that types like a machine is cut off at once, until a rule with types-fast is written [U7]', async (t) => {
  const rig = await policyRig(t, 'allow\n');
  await rig.plug('1-1', 20, keyboard);
  assert.equal(rig.state('1-1'), '1 allow rule');
  rig.gatekeeper.typed('1-1', 800);
  await rig.settled();
  assert.equal(rig.state('1-1'), '0 block guard', 'without anything else that makes the gate look');
  assert.deepEqual(
    rig.suspected.map(({ port, blocked }) => [port, blocked]),
    [['1-1', true]],
  );
  await rig.plug('1-2', 21, keyboard);
  assert.equal(rig.state('1-2'), '0 block guard', 'the same device at another port');
  await rig.setRules('allow label "till 3 types-fast"\n');
  assert.deepEqual([rig.state('1-1'), rig.state('1-2')], ['1 allow rule', '1 allow rule']);
  rig.gatekeeper.typed('1-1', 900);
  await rig.settled();
  assert.equal(rig.state('1-1'), '1 allow rule', 'it goes on typing');
  assert.equal(rig.suspected.length, 1);
  await rig.setRules('allow\n');
  assert.equal(rig.state('1-1'), '0 block guard', 'the excuse is taken back');
});
