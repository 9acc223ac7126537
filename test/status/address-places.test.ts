import assert from 'node:assert/strict';
import test from 'node:test';
import { createAddressPlaces } from '../../src/status/address-places.ts';
import { clientKey } from '../../src/status/client-key.ts';

const made = (total: number) => createAddressPlaces({ total, share: 1 / 4, loopbackShare: 3 / 4 });

test('one address gets a quarter of the places, one of this machine more, and all together no more than there are [S3]', () => {
  const places = made(8);
  assert.equal(typeof places.take('192.0.2.1'), 'function');
  assert.equal(typeof places.take('::ffff:192.0.2.1'), 'function');
  assert.equal(places.take('192.0.2.1'), 'share-used-up');
  for (let n = 0; n < 6; n++) assert.equal(typeof places.take(n < 5 ? '127.0.0.1' : '192.0.2.2'), 'function');
  assert.equal(places.take('192.0.2.3'), 'full');
  assert.equal(places.most('::1'), 6);
  assert.equal(places.most('192.0.2.9'), 2);
});

test('a proxy that stands for many gets as much as one of this machine, but not what is kept for the own screen [S3]', () => {
  const isProxy = (address: string) => address === '192.0.2.1';
  const places = createAddressPlaces({ total: 8, share: 1 / 4, loopbackShare: 1, isProxy });
  assert.deepEqual([places.most('192.0.2.1'), places.most('192.0.2.2')], [8, 2]);
  for (let n = 0; n < 7; n++) assert.equal(typeof places.take('192.0.2.1'), 'function');
  assert.equal(places.take('192.0.2.1'), 'full');
  assert.equal(typeof places.take('127.0.0.1'), 'function');
});

test('a place is given back once, however often that is said [S3]', () => {
  const places = made(4);
  const back = places.take('192.0.2.1');
  assert.ok(typeof back === 'function');
  assert.equal(places.take('192.0.2.1'), 'share-used-up');
  back();
  const again = places.take('192.0.2.1');
  back();
  assert.equal(typeof again, 'function');
  assert.equal(places.take('192.0.2.1'), 'share-used-up');
});

test('where there are few places one address still gets one [S3]', () => {
  assert.equal(typeof made(2).take('192.0.2.1'), 'function');
});

test('an IPv6 network of one client is one address, neighbours on the link are not [S3]', () => {
  assert.equal(clientKey('2001:db8:1:2:3::4'), clientKey('2001:db8:1:2::9'));
  assert.notEqual(clientKey('2001:db8:1:2::9'), clientKey('2001:db8:1:3::9'));
  assert.notEqual(clientKey('fe80::1%eth0'), clientKey('fe80::2%eth0'));
  assert.notEqual(clientKey('::1'), clientKey('::2:0:0:0:1'));
});

test('an eighth of the places is for the appliance itself, whoever crowds in from the network [Q3]', () => {
  const places = createAddressPlaces({ total: 32, share: 1 / 4, loopbackShare: 1 });
  for (let taken = 0; taken < 28; taken++)
    assert.equal(typeof places.take(`192.0.2.${1 + (taken % 4)}`), 'function', String(taken));
  assert.equal(places.take('192.0.2.9'), 'full');
  const own = Array.from({ length: 4 }, () => places.take('127.0.0.1'));
  assert.ok(own.every((place) => typeof place === 'function'));
  assert.equal(places.take('127.0.0.1'), 'full');
  const one = createAddressPlaces({ total: 1, share: 1 / 4, loopbackShare: 1 });
  assert.equal(typeof one.take('192.0.2.9'), 'function');
});
