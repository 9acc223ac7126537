import assert from 'node:assert/strict';
import test from 'node:test';
import type { EventDraft } from '../../src/contracts/event.ts';
import { eventTypes } from '../../src/contracts/event-types.ts';
import type { UsbDevice } from '../../src/contracts/usb-device.ts';
import { withVerdictDrafts } from '../../src/events/verdict-drafts.ts';
import { schemaCheck } from '../../src/lib/schema-check.ts';
import { sampleDevice } from '../support/event-stream.ts';

const stamp = { subject: 'usb/1-1.4', observed: { uptimeMs: 1, wallMs: 1, synced: true }, traceparent: 't' };
const blocked: UsbDevice = {
  ...sampleDevice,
  authorized: false,
  policy: { target: 'block', by: 'implicit', reason: 'no rule applies', enforced: true },
};
const draft = (type: string, data: EventDraft['data']): EventDraft => ({ ...stamp, type, data });
const typesOf = (drafts: readonly EventDraft[]) => withVerdictDrafts(drafts).map(({ type }) => type);

test('usb.device.blocked follows the event that first shows a blocked device, once [U6]', () => {
  const change = { source: 'kernel', seqnum: 1 };
  assert.deepEqual(typesOf([draft('usb.device.added', { ...change, device: blocked })]), [
    'usb.device.added',
    'usb.device.blocked',
  ]);
  const changed = (device: UsbDevice, was: UsbDevice) =>
    typesOf([draft('usb.device.changed', { ...change, device, was })]);
  assert.deepEqual(changed(blocked, sampleDevice), ['usb.device.changed', 'usb.device.blocked']);
  assert.deepEqual(changed(blocked, blocked), ['usb.device.changed']);
  const rejected = { ...blocked, policy: { ...blocked.policy, target: 'reject' } as const } as UsbDevice;
  assert.deepEqual(changed(rejected, blocked), ['usb.device.changed', 'usb.device.blocked']);
  const reported = { ...blocked, policy: { ...blocked.policy, enforced: false } as const } as UsbDevice;
  assert.deepEqual(changed(reported, sampleDevice), ['usb.device.changed'], 'only reported, not blocked');
  assert.deepEqual(
    changed(blocked, reported),
    ['usb.device.changed', 'usb.device.blocked'],
    'now in earnest',
  );
  assert.deepEqual(changed(sampleDevice, blocked), ['usb.device.changed'], 'no policy any more');
  const [, made] = withVerdictDrafts([draft('usb.device.added', { ...change, device: blocked })]);
  assert.equal(schemaCheck(eventTypes['usb.device.blocked'])(made?.data).ok, true);
});

test('usb.device.allowed follows the event that first shows a blocked device working, and no other [U6]', () => {
  const allowed: UsbDevice = {
    ...blocked,
    policy: { target: 'allow', by: 'rule', line: 3, reason: 'allow', enforced: true },
  };
  const change = { source: 'kernel', seqnum: null };
  const changed = (device: UsbDevice, was: UsbDevice) =>
    withVerdictDrafts([draft('usb.device.changed', { ...change, device, was })]);
  const [, told] = changed(allowed, blocked);
  assert.equal(told?.type, 'usb.device.allowed');
  assert.deepEqual(told?.data.verdict, allowed.policy);
  assert.equal(schemaCheck(eventTypes['usb.device.allowed'])(told?.data).ok, true);
  assert.equal(changed(allowed, sampleDevice).length, 1, 'it was not blocked before');
  assert.deepEqual(typesOf([draft('usb.device.added', { ...change, device: allowed })]), [
    'usb.device.added',
  ]);
});
