// The signature against the reference implementation, and the small pure parts beside it.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Webhook } from 'standardwebhooks';
import { isPrivateAddress } from '../../src/uplink/private-address.ts';
import { retryAfterMs } from '../../src/uplink/retry-after.ts';
import { toTypeFilter } from '../../src/uplink/type-filter.ts';
import { signWebhook } from '../../src/uplink/webhook-signature.ts';
import { webhookSecret } from '../support/webhook-receiver.ts';

const other = `whsec_${Buffer.alloc(64, 7).toString('base64')}`;
const body = Buffer.from('{"type":"usb.device.added","product":"Tastatur für Füße ☃"}');
const timestampSeconds = Math.floor(Date.now() / 1_000);
const headersOf = (signature: string) => ({
  'webhook-id': 'abc_1-2',
  'webhook-timestamp': String(timestampSeconds),
  'webhook-signature': signature,
});
const verify = (secret: string, payload: Buffer, signature: string) =>
  new Webhook(secret).verify(payload, headersOf(signature));

test("the reference implementation's verifier accepts the signature, and no other body or secret [U8]", () => {
  const signature = signWebhook({ id: 'abc_1-2', timestampSeconds, body }, [webhookSecret]);
  assert.deepEqual(verify(webhookSecret, body, signature), JSON.parse(body.toString()));
  assert.throws(
    () => verify(webhookSecret, Buffer.concat([body, Buffer.from(' ')]), signature),
    /signature/i,
  );
  assert.throws(() => verify(other, body, signature), /signature/i);
});

test('during a change of the secret each of the two verifies the same request [U8]', () => {
  const signature = signWebhook({ id: 'abc_1-2', timestampSeconds, body }, [webhookSecret, other]);
  assert.match(signature, /^v1,[A-Za-z0-9+/]{43}= v1,[A-Za-z0-9+/]{43}=$/);
  verify(webhookSecret, body, signature);
  verify(other, body, signature);
});

test('a filter of types takes names, prefixes and everything [U8]', () => {
  const wanted = (patterns: readonly string[], type: string) => toTypeFilter(patterns)(type);
  assert.ok(wanted(['*'], 'usb.device.added'));
  assert.ok(wanted(['system.*', 'usb.device.*'], 'usb.device.added'));
  assert.ok(wanted(['usb.suppressed'], 'usb.suppressed'));
  assert.ok(!wanted(['usb.device.*'], 'usb.devices.added'));
  assert.ok(!wanted(['usb.device'], 'usb.device.added'));
});

test('Retry-After is seconds, or a date held against the date of the answer, and a day at most [U8]', () => {
  const wallMs = Date.UTC(2001, 0, 1);
  const date = 'Sat, 21 Nov 2026 12:00:00 GMT';
  const of = (value: string, sent?: string) => retryAfterMs({ 'retry-after': value, date: sent }, wallMs);
  assert.equal(of('120'), 120_000);
  assert.equal(of('9999999999'), 86_400_000);
  assert.equal(of('Sat, 21 Nov 2026 12:01:30 GMT', date), 90_000);
  assert.equal(of('Sat, 21 Nov 2026 11:00:00 GMT', date), 0);
  assert.equal(of('Mon, 01 Jan 2001 00:00:05 GMT'), 5_000);
  assert.equal(of('soon', date), null);
  assert.equal(retryAfterMs({}, wallMs), null);
});

test('private are loopback, link-local and the networks of RFC 1918 and RFC 4193, also when written as IPv6 [U8]', () => {
  const inside = [
    '127.0.0.1',
    '10.1.2.3',
    '172.31.0.1',
    '192.168.1.1',
    '169.254.1.1',
    '::1',
    'fe80::1',
    'fd00::1',
  ];
  for (const address of [...inside, '::ffff:10.0.0.1']) assert.ok(isPrivateAddress(address), address);
  const outside = [
    '8.8.8.8',
    '172.32.0.1',
    '192.169.0.1',
    '11.0.0.1',
    '2001:db8::1',
    '::ffff:8.8.8.8',
    'host',
    '',
  ];
  for (const address of outside) assert.ok(!isPrivateAddress(address), address);
});
