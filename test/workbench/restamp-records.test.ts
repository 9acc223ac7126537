import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { parseCapture } from '../../src/workbench/capture.ts';
import { restampRecords } from '../../src/workbench/restamp-records.ts';

const file = 'test/fixtures/captures/keyboard.json';
const { attach, detach } = parseCapture(readFileSync(file, 'utf8'), file);
const stamps = { seqnum: 9_001, bus: 1, address: 77 };
const numbersOf = (texts: readonly string[]) =>
  texts.map((text) => Number(/^SEQNUM=(\d+)$/m.exec(text)?.[1]));

test('numbers the records anew in the recorded order, the same for both records of an event [U1]', () => {
  const { records, nextSeqnum } = restampRecords(attach, stamps);
  const texts = records.map((record) => record.textAt(5));
  assert.deepEqual(numbersOf(texts), [9_001, 9_002, 9_003, 9_004, 9_001, 9_002, 9_003, 9_004]);
  assert.equal(nextSeqnum, 9_005);
});

test('stamps each record with the time at which it is printed and keeps the recorded distances [U1]', () => {
  const { records } = restampRecords(attach, stamps);
  assert.match(records[0]?.textAt(12.5) ?? '', /^KERNEL\[12\.500000\] add {6}\/devices\//);
  assert.match(records[4]?.textAt(12.5) ?? '', /^UDEV {2}\[12\.500000\] add {6}\/devices\//);
  assert.match(records[4]?.textAt(12.5) ?? '', /^USEC_INITIALIZED=12500000$/m);
  assert.equal(records[0]?.afterMs, 0);
  assert.equal(Math.round(records[4]?.afterMs ?? 0), 31);
});

test('a pause of the recording machine is cut short [U1]', () => {
  const slow = attach.replace('UDEV  [101.265567]', 'UDEV  [109.000000]');
  assert.notEqual(slow, attach);
  const last = restampRecords(slow, stamps).records.at(-1);
  assert.ok((last?.afterMs ?? 0) < 300, `${last?.afterMs} ms`);
});

test('gives the device its fresh address, as the kernel does with every plug [U1]', () => {
  const { records } = restampRecords(detach, stamps);
  const removed = records
    .map((record) => record.textAt(5))
    .find((text) => text.includes('DEVTYPE=usb_device'));
  assert.match(removed ?? '', /^DEVNAME=\/dev\/bus\/usb\/001\/077$/m);
  assert.match(removed ?? '', /^DEVNUM=077$/m);
  assert.match(removed ?? '', /^MAJOR=189\nMINOR=76$/m);
});

test('changes nothing else and ends each record with an empty line [U1]', () => {
  const { records } = restampRecords(attach, { seqnum: 1_502, bus: 1, address: 2 });
  const without = (text: string) => text.replace(/\[[0-9.]+\]/g, '').replace(/^USEC_INITIALIZED=.*\n/gm, '');
  assert.equal(without(records.map((record) => record.textAt(5)).join('')), without(attach));
});

test('what is no record is left out [U1]', () => {
  const greeting = 'monitor will print the received events for:\nKERNEL - the kernel uevent\n\n';
  assert.equal(restampRecords(greeting + attach, stamps).records.length, 8);
  assert.deepEqual(restampRecords('', stamps), { records: [], nextSeqnum: 9_001 });
});
