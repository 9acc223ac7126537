import assert from 'node:assert/strict';
import test from 'node:test';
import { parseUsbState } from '../../src/events/usb-state.ts';
import { MakerUnderTest } from './maker-under-test.ts';
import { attached, BOOT, detached, device, ready } from './usb-bus.ts';

const a = device('1-1', 'A', 4);
const b = device('1-2.1', 'B', 5);

test('the state of the hash is what the events have said [U5]', () => {
  const subject = new MakerUnderTest();
  subject.take(attached(1, a, { seqnum: 7 }), ready(2, a, { seqnum: 7 }), attached(3, b, { seqnum: 8 }));
  assert.deepEqual(parseUsbState(subject.reader.fields), {
    state: {
      bootId: BOOT,
      seqnum: 8,
      devices: [a, b],
      marks: {
        '1-1': { seqnum: 7, attached: 7, ready: true, carried: false },
        '1-2.1': { seqnum: 8, attached: 8, ready: false, carried: false },
      },
    },
    problems: [],
    repair: {},
  });
  subject.take(detached(4, a, { seqnum: 9 }), detached(5, b, { seqnum: 10 }));
  assert.deepEqual(subject.reader.fields, { 'usb.boot': BOOT, 'usb.seqnum': '10' });
});

test('a patch holds only what has changed [B2]', () => {
  const subject = new MakerUnderTest();
  subject.take(attached(1, a, { seqnum: 7 }));
  const { state } = subject.maker.take(ready(2, a, { seqnum: 7 }));
  assert.deepEqual(Object.keys(state), ['usb.port.1-1']);
});

test('an empty hash and the fields of others are no state and no problem [U5]', () => {
  const nothing = { state: null, problems: [], repair: {} };
  assert.deepEqual(parseUsbState({}), nothing);
  assert.deepEqual(parseUsbState({ 'uplink.cursor': '1-4', usbx: '1' }), nothing);
});

const boot = { 'usb.boot': BOOT, 'usb.seqnum': '8' };
const text = JSON.stringify(a);
const damaged: readonly (readonly [string, Readonly<Record<string, string>>, RegExp])[] = [
  ['no boot', { 'usb.seqnum': '8' }, /^usb\.boot is missing/],
  ['a boot that is none', { ...boot, 'usb.boot': 'x' }, /^usb\.boot is "x"/],
  ['no number', { 'usb.boot': BOOT }, /^usb\.seqnum is missing/],
  ['a number that is none', { ...boot, 'usb.seqnum': '8x' }, /^usb\.seqnum is "8x"/],
  ['a negative number', { ...boot, 'usb.seqnum': '-1' }, /^usb\.seqnum is "-1"/],
];
for (const [name, fields, problem] of damaged)
  test(`${name} leaves the whole state out, says so, and clears the hash [U5]`, () => {
    const parsed = parseUsbState({ ...fields, 'usb.device.1-1': text, other: '1' });
    assert.equal(parsed.state, null);
    assert.match(parsed.problems.join(), problem);
    assert.ok('usb.device.1-1' in parsed.repair && !('other' in parsed.repair));
  });

const damagedFields: readonly (readonly [string, string, RegExp])[] = [
  ['usb.device.1-2', '{"port":"1-2"', /^usb\.device\.1-2 is damaged/],
  ['usb.device.1-2', text, /^usb\.device\.1-2 holds port 1-1/],
  ['usb.device.1-2', JSON.stringify({ ...b, address: -1 }), /address must be >= 0/],
  ['usb.device.1-2', JSON.stringify({ ...b, extra: 1 }), /extra is not a known key/],
  ['usb.port.1-2', '{"seqnum":1}', /^usb\.port\.1-2 is damaged/],
  ['usb.port.1-2', 'null', /^usb\.port\.1-2 is damaged/],
];
for (const [field, value, problem] of damagedFields)
  test(`${field} = ${value.slice(0, 24)} is left out alone, said, and removed [U5]`, () => {
    const parsed = parseUsbState({ ...boot, 'usb.device.1-1': text, [field]: value });
    assert.deepEqual(parsed.state?.devices, [a]);
    assert.equal(parsed.problems.length, 1);
    assert.match(parsed.problems[0] ?? '', problem);
    assert.deepEqual(parsed.repair, { [field]: null });
  });
