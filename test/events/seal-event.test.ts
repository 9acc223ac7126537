import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import test from 'node:test';
import { CloudEvent, type EventDraft } from '../../src/contracts/event.ts';
import { sourceOf } from '../../src/contracts/topics.ts';
import { sealEvent } from '../../src/events/seal-event.ts';
import { makeTraceparent } from '../../src/events/traceparent.ts';
import { schemaCheck } from '../../src/lib/schema-check.ts';
import { at, BOOT } from './usb-bus.ts';

const sealing = {
  source: sourceOf({ tenant: 'acme', site: 'hall-1', name: 'kiosk-7' }),
  bootId: BOOT,
  simulated: false,
};
const draft: EventDraft = {
  type: 'usb.device.removed',
  subject: 'usb/1-1.4',
  observed: at(1_234.9),
  traceparent: `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`,
  data: { port: '1-1.4' },
};
const check = schemaCheck(CloudEvent);

test('a sealed event is a CloudEvent with its keys in one order, byte for byte [L3]', () => {
  const sealed = sealEvent(draft, { generation: 3, number: 1841 }, sealing);
  assert.equal(
    sealed,
    `{"specversion":"1.0","id":"3-1841","source":"urn:autoweave:acme:hall-1:kiosk-7","type":"usb.device.removed",` +
      `"subject":"usb/1-1.4","time":"2026-01-01T00:00:01.234Z","datacontenttype":"application/json",` +
      `"traceparent":"${draft.traceparent}","clock":"synced","bootid":"${BOOT}","uptimems":1234,"data":{"port":"1-1.4"}}`,
  );
  assert.ok(check(JSON.parse(sealed)).ok);
});

test('a simulated event says so [L3]', () => {
  const sealed = sealEvent(draft, { generation: 1, number: 1 }, { ...sealing, simulated: true });
  assert.equal((JSON.parse(sealed) as CloudEvent).simulated, true);
});

const clocks: readonly (readonly [string, number, string])[] = [
  ['before 1970', -5, '1970-01-01T00:00:00.000Z'],
  ['beyond the year 9999', 8.64e15, '9999-12-31T23:59:59.999Z'],
  ['without an end', Number.POSITIVE_INFINITY, '9999-12-31T23:59:59.999Z'],
  ['that is no number', Number.NaN, '1970-01-01T00:00:00.000Z'],
];
for (const [name, wallMs, time] of clocks)
  test(`a clock ${name} costs no event, and an unsynchronized one is marked [U9]`, () => {
    const observed = { ...draft.observed, wallMs, synced: false };
    const event: unknown = JSON.parse(
      sealEvent({ ...draft, observed }, { generation: 1, number: 1 }, sealing),
    );
    const verdict = check(event);
    assert.ok(verdict.ok, JSON.stringify(verdict));
    assert.deepEqual([verdict.value.time, verdict.value.clock], [time, 'unsynced']);
  });

test('what a device claims in its strings cannot break the JSON [Q3]', () => {
  const product = '"},\u0000\u2028\ud800\\';
  const sealed = sealEvent({ ...draft, data: { product } }, { generation: 1, number: 1 }, sealing);
  assert.equal((JSON.parse(sealed) as CloudEvent).data.product, product);
});

test('a traceparent is of the standard form, and never an id of zeros [M2]', () => {
  const form = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-01$/;
  const made = Array.from({ length: 1_000 }, () => makeTraceparent(randomBytes));
  assert.ok(made.every((text) => form.test(text)));
  assert.equal(new Set(made).size, 1_000);
  const zeros = `00-${'1'.padStart(32, '0')}-${'1'.padStart(16, '0')}-01`;
  assert.equal(
    makeTraceparent((n) => new Uint8Array(n)),
    zeros,
  );
  assert.match(zeros, form);
});
