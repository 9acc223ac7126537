import assert from 'node:assert/strict';
import test from 'node:test';
import { MAX_DESCRIPTOR_BYTES, MAX_INTERFACES, parseDescriptors } from '../../src/usb/parse-descriptors.ts';
import { descriptorSet, descriptorSets } from './corpus.ts';

for (const { name, bytes } of descriptorSets('good')) {
  test(`the descriptors of ${name} parse without a problem [U4]`, () => {
    assert.deepEqual(parseDescriptors(bytes).problems, []);
  });
}

for (const { name, bytes, expected } of descriptorSets('bad')) {
  test(`the descriptors of ${name} bring their codes and no others [U4][Q3]`, () => {
    assert.deepEqual([...parseDescriptors(bytes).problems].sort(), [...expected].sort());
  });
}

test('every byte-wise truncation of every good set gives facts or codes, never an exception [Q3]', () => {
  for (const { bytes } of descriptorSets('good')) {
    for (let length = 0; length < bytes.length; length++) {
      const facts = parseDescriptors(bytes.subarray(0, length));
      assert.equal(facts.device === null, length < 18);
      // A set cut at the end of its device descriptor is only short of its configurations.
      assert.ok(facts.problems.length > 0, `${length} bytes of ${bytes.length} brought no code`);
    }
  }
});

test('facts are read out of the raw bytes [U4]', () => {
  const facts = parseDescriptors(descriptorSet('uas-disk'));
  assert.deepEqual(facts.device, {
    bcdUsb: 0x0300,
    class: 0,
    subclass: 0,
    protocol: 0,
    vendorId: 0x174c,
    productId: 0x55aa,
    bcdDevice: 0x0100,
    hasManufacturer: true,
    hasProduct: true,
    hasSerial: true,
    configurations: 1,
  });
  assert.equal(facts.maxPowerUnits, 0);
  assert.deepEqual(facts.interfaces, [
    { configuration: 1, number: 0, alternate: 0, class: 8, subclass: 6, protocol: 0x50, endpoints: 2 },
    { configuration: 1, number: 0, alternate: 1, class: 8, subclass: 6, protocol: 0x62, endpoints: 4 },
  ]);
});

test('the interfaces of every configuration are listed, with the value of theirs [U4]', () => {
  const { interfaces } = parseDescriptors(descriptorSet('network'));
  assert.deepEqual(
    interfaces.map(({ configuration, number, alternate }) => `${configuration}:${number}.${alternate}`),
    ['2:0.0', '2:1.0', '1:0.0', '1:1.0', '1:1.1'],
  );
});

test('more interfaces than a device can have are cut and said [Q3]', () => {
  const device = descriptorSet('boot-keyboard').subarray(0, 18);
  const count = MAX_INTERFACES + 1;
  const total = 9 + count * 9;
  const configuration = [9, 2, total & 0xff, total >> 8, 1, 1, 0, 0xa0, 50];
  const interfaces = Array.from({ length: count }, (_, index) => [9, 4, 0, index & 0xff, 0, 3, 0, 0, 0]);
  const facts = parseDescriptors(Buffer.from([...device, ...configuration, ...interfaces.flat()]));
  assert.equal(facts.interfaces.length, MAX_INTERFACES);
  assert.ok(facts.problems.includes('usb.descriptor-interfaces-too-many'));
});

test('a file larger than any device can have is read up to the limit and said [Q3]', () => {
  const device = descriptorSet('no-configuration');
  const facts = parseDescriptors(Buffer.concat([device, Buffer.alloc(MAX_DESCRIPTOR_BYTES, 2)]));
  assert.ok(facts.problems.includes('usb.descriptor-too-large'));
});
