// Hubs pass whatever the rules say; what the kernel's hub driver would not take is no hub, whatever it claims.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { descriptorSet } from '../usb/corpus.ts';
import { policyRig } from './policy-rig.ts';
import { rawDescriptors } from './raw-descriptors.ts';

const captured = JSON.parse(
  readFileSync(path.join(import.meta.dirname, '../../src/workbench/captures/hub.json'), 'utf8'),
) as { readonly descriptors: string };
const hub = Buffer.from(captured.descriptors, 'base64');

/** Places in the recorded hub: device 0, configuration 18, interface 27, endpoint 36. */
function altered(...bytes: readonly (readonly [at: number, value: number])[]): Buffer {
  const copy = Buffer.from(hub);
  for (const [at, value] of bytes) copy[at] = value;
  return copy;
}
const interfaceOf = (...fields: readonly number[]) => Buffer.from([9, 4, ...fields, 0]);
const endpoint = hub.subarray(36);
const secondConfiguration = Buffer.concat([hub, hub.subarray(18)]);
secondConfiguration[17] = 2;

const hubs: Readonly<Record<string, Buffer>> = {
  'recorded in a guest': hub,
  'with a transaction translator per port': descriptorSet('hub-2'),
  SuperSpeed: descriptorSet('hub-3'),
  'of subclass 1': altered([33, 1]),
};
const claims: Readonly<Record<string, Buffer>> = {
  'device class 0': altered([4, 0]),
  'device class of a vendor': altered([4, 255]),
  'interfaces alone': rawDescriptors('05e3:0610', '09:00:00'),
  'subclass 2': altered([33, 2]),
  'no endpoint': Buffer.concat([altered([31, 0]).subarray(0, 36)]),
  'an endpoint less than it says': Buffer.from(hub.subarray(0, 36)),
  'an endpoint that leads out': altered([38, 0x01]),
  'a bulk endpoint': altered([39, 2]),
  'two endpoints': Buffer.concat([altered([31, 2]), endpoint]),
  'two configurations': secondConfiguration,
  'another configuration than it says': altered([17, 2]),
  'two interfaces': Buffer.concat([altered([22, 2]), interfaceOf(1, 0, 1, 9, 0, 0), endpoint]),
  'an interface more than it says': Buffer.concat([hub, interfaceOf(1, 0, 1, 9, 0, 0), endpoint]),
  'a keyboard as its other setting': Buffer.concat([hub, interfaceOf(0, 1, 1, 3, 1, 1), endpoint]),
};

test('hubs are let in whatever the rules say, those with a second setting and of USB 3 too [U10]', async (t) => {
  const rig = await policyRig(t, 'block\n');
  let address = 20;
  for (const [name, descriptors] of Object.entries(hubs)) {
    await rig.plug('1-2', ++address, descriptors);
    assert.equal(rig.state('1-2'), '1 allow floor', name);
  }
});

test('what only claims to be a hub is judged by the rules [U6] [U10]', async (t) => {
  const rig = await policyRig(t, 'block\n', { policy: { guard: 'off' } });
  let address = 20;
  for (const [name, descriptors] of Object.entries(claims)) {
    await rig.plug('1-2', ++address, descriptors);
    assert.equal(rig.state('1-2'), '0 block rule', name);
  }
  await rig.setRules('allow id 05e3:0610\nblock\n');
  await rig.plug('1-2', ++address, rawDescriptors('05e3:0610', '09:00:00'));
  assert.equal(rig.state('1-2'), '1 allow rule', 'a hub that breaks the standard needs a rule');
});
