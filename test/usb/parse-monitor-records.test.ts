import assert from 'node:assert/strict';
import test from 'node:test';
import { interpretRecord } from '../../src/usb/interpret-record.ts';
import { createMonitorParser, type MonitorRecord } from '../../src/usb/parse-monitor-records.ts';
import { monitorTranscripts } from './corpus.ts';

function parse(chunks: readonly Uint8Array[]) {
  const records: MonitorRecord[] = [];
  const codes: string[] = [];
  const parser = createMonitorParser(
    (record) => records.push(record),
    (code) => codes.push(code),
  );
  for (const chunk of chunks) parser.push(chunk);
  return { records, codes };
}

function devicesIn(records: readonly MonitorRecord[]): readonly string[] {
  return records.flatMap((record) => {
    const device = interpretRecord(record);
    if (device === null) return [];
    assert.notEqual(device, 'bad-port');
    if (device === 'bad-port') return [];
    const { origin, action, port, seqnum, facts, isSynthetic } = device;
    const text = `${origin} ${action} ${port} ${seqnum} address=${facts.address} product=${facts.product}`;
    return [isSynthetic ? `${text} synthetic` : text];
  });
}

for (const { name, bytes, records, codes } of [...monitorTranscripts('good'), ...monitorTranscripts('bad')]) {
  test(`the transcript ${name} gives its device records and its codes [U1][Q3]`, () => {
    const whole = parse([bytes]);
    assert.deepEqual(devicesIn(whole.records), records);
    assert.deepEqual(whole.codes, codes);
  });

  test(`the transcript ${name} gives the same however the pipe cuts it [U1]`, () => {
    const whole = parse([bytes]);
    for (const size of [1, 7, 64]) {
      const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
        bytes.subarray(index * size, (index + 1) * size),
      );
      const cut = parse(chunks);
      assert.deepEqual(cut.records, whole.records);
      // A long line is noticed once, wherever it is cut.
      assert.deepEqual(cut.codes, whole.codes);
    }
  });
}

test('node, links, times and properties are read [U4]', () => {
  const transcript = monitorTranscripts('good').find(({ name }) => name === 'keyboard-plugged');
  assert.ok(transcript);
  const { records } = parse([transcript.bytes]);
  assert.equal(records[0]?.uptimeMs, 512_100.001);
  assert.equal(records[2]?.properties.get('HID_NAME'), 'Logitech USB Keyboard');
  const [ready] = records.slice(-1);
  assert.ok(ready);
  const device = interpretRecord(ready);
  assert.ok(device !== null && device !== 'bad-port');
  assert.equal(device.node, '/dev/bus/usb/001/004');
  assert.deepEqual(device.links, [
    '/dev/input/by-id/usb-Logitech_USB_Keyboard-event-kbd',
    '/dev/serial/by-path/x',
  ]);
  assert.equal(device.facts.serial, 'K1');
});

test('a line without end does not grow the memory [Q3]', () => {
  const codes: string[] = [];
  const parser = createMonitorParser(
    () => assert.fail('no record was expected'),
    (code) => codes.push(code),
  );
  const chunk = Buffer.alloc(65_536, 0x41);
  const before = process.memoryUsage().arrayBuffers;
  for (let round = 0; round < 1_000; round++) parser.push(chunk);
  assert.ok(process.memoryUsage().arrayBuffers - before < 16 * 1_048_576);
  assert.deepEqual(codes, ['usb.monitor-line-too-long']);
});

test('after a reset the rest of the old stream is forgotten [U1]', () => {
  const transcript = monitorTranscripts('good').find(({ name }) => name === 'behind-hubs');
  assert.ok(transcript);
  const records: MonitorRecord[] = [];
  const parser = createMonitorParser(
    (record) => records.push(record),
    (code) => assert.fail(code),
  );
  parser.push(transcript.bytes.subarray(0, 100));
  parser.reset();
  parser.push(transcript.bytes);
  assert.equal(records.length, 1);
});
