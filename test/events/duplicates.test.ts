import assert from 'node:assert/strict';
import test from 'node:test';
import type { UsbChange, UsbSource } from '../../src/contracts/usb-change.ts';
import { MakerUnderTest } from './maker-under-test.ts';
import { attached, changed, detached, device, ready, snapshot, UsbBus, unreadable } from './usb-bus.ts';

const a4 = device('1-1', 'A', 4);
const a5 = device('1-1', 'A', 5);
const b6 = device('1-1', 'B', 6);
const none4 = unreadable(a4);
const from = (source: UsbSource, seqnum: number | null = null) => ({ source, seqnum });

const cases: readonly (readonly [string, readonly UsbChange[], string])[] = [
  [
    'kernel, udev and spool report the same numbered plug',
    [attached(1, a4, from('kernel', 7)), attached(2, a4, from('udev', 7)), attached(3, a4, from('spool', 7))],
    '+A',
  ],
  [
    'the same attach comes again with another number',
    [attached(1, a4, from('kernel', 7)), attached(2, a4, from('udev', 9))],
    '+A',
  ],
  [
    'udev reports a plug after the device has left again',
    [
      attached(1, a4, from('kernel', 7)),
      detached(2, a4, from('kernel', 8)),
      attached(3, a4, from('udev', 7)),
    ],
    '+A -A',
  ],
  ['a scan finds what a record has told', [attached(1, a4, from('kernel', 7)), snapshot(2, [a4])], '+A'],
  [
    'a record tells what a scan has found',
    [snapshot(1, [a4], { seqnum: 6 }), attached(2, a4, from('kernel', 7))],
    '+A',
  ],
  [
    'a record that the scan contains comes late',
    [snapshot(1, [a4], { seqnum: 9 }), attached(2, a4, from('kernel', 7))],
    '+A',
  ],
  ['a port without a device is left', [detached(1, a4, from('kernel', 7))], ''],
  [
    'a removal comes twice',
    [
      attached(1, a4, from('kernel', 7)),
      detached(2, a4, from('kernel', 8)),
      detached(3, a4, from('udev', 8)),
    ],
    '+A -A',
  ],
  [
    'another address means that a removal was missed',
    [attached(1, a4, from('kernel', 7)), attached(2, a5, from('kernel', 9))],
    '+A -A +A',
  ],
  [
    'another identity means that a removal was missed',
    [attached(1, a4, from('kernel', 7)), attached(2, b6, from('kernel', 9))],
    '+A -A +B',
  ],
  [
    'a device is replugged while the scan is read, and its removal is older than what the scan found',
    [
      attached(1, a4, from('kernel', 7)),
      snapshot(2, [a5], { seqnum: 7 }),
      detached(3, a4, from('kernel', 8)),
      attached(4, a5, from('kernel', 9)),
      detached(5, a5, from('kernel', 10)),
    ],
    '+A -A +A -A',
  ],
  [
    'a plug too short for the scan that contains it is still told',
    [snapshot(1, [], { seqnum: 9 }), attached(2, a4, from('kernel', 7)), detached(3, a4, from('kernel', 8))],
    '+A -A',
  ],
  [
    'a removal that the scan contains, of a device without a known address, is not that of the next',
    [snapshot(1, [a5], { seqnum: 9 }), { ...detached(2, a4, from('kernel', 8)), address: null }],
    '+A',
  ],
  [
    'a scan that was read before the record came does not take the device away',
    [attached(1, a4, from('kernel', 7)), snapshot(2, [], { seqnum: 6 })],
    '+A',
  ],
  [
    'a record newer than the scan wins over it',
    [attached(1, a4, from('kernel', 7)), snapshot(2, [], { seqnum: 6 }), detached(3, a4, from('kernel', 8))],
    '+A -A',
  ],
  [
    'without numbers, a record observed after the scan wins over it',
    [attached(5, a4, from('kernel', 7)), snapshot(4, [])],
    '+A',
  ],
  [
    'an unreadable device becomes readable',
    [attached(1, none4, from('kernel', 7)), attached(2, a4, from('udev', 7))],
    '+? ~A',
  ],
  [
    'a readable device cannot be read any more',
    [attached(1, a4, from('kernel', 7)), changed(2, none4, from('kernel', 8)), snapshot(3, [none4])],
    '+A',
  ],
  [
    'a scan can read what the record could not',
    [attached(1, none4, from('kernel', 7)), snapshot(2, [a4], { seqnum: 7 })],
    '+? ~A',
  ],
  [
    'a change that changes nothing',
    [attached(1, a4, from('kernel', 7)), changed(2, a4, from('kernel', 8))],
    '+A',
  ],
  [
    'a change is reported by two sources',
    [
      attached(1, a4, from('kernel', 7)),
      changed(2, { ...a4, authorized: true }, from('kernel', 8)),
      changed(3, { ...a4, authorized: true }, from('udev', 8)),
    ],
    '+A ~A',
  ],
  ['a change of an unknown device is its arrival', [changed(1, a4, from('kernel', 7))], '+A'],
  [
    'ready comes once',
    [
      attached(1, a4, from('kernel', 7)),
      ready(2, a4, from('udev', 7)),
      ready(3, a4, from('udev', 8)),
      ready(4, a4, from('spool', 7)),
    ],
    '+A !A',
  ],
  [
    'ready of an earlier plug is not that of the next',
    [
      attached(1, a4, from('kernel', 7)),
      detached(2, a4, from('kernel', 8)),
      attached(3, a5, from('kernel', 9)),
      ready(4, a4, from('udev', 7)),
      ready(5, a5, from('udev', 9)),
    ],
    '+A -A +A !A',
  ],
  ['ready of a device that is gone', [ready(1, a4, from('udev', 7))], ''],
  [
    'the cross-check says late what the kernel has said, and is not heard',
    [
      attached(1, a4, from('kernel', 7)),
      attached(2, a4, from('libusb')),
      detached(3, a4, from('kernel', 8)),
      attached(4, a5, from('kernel', 9)),
      detached(5, a4, from('libusb')),
      attached(6, a4, from('libusb')),
    ],
    '+A -A +A',
  ],
];

for (const [name, changes, words] of cases)
  test(`${name} [U2]`, () => {
    const subject = new MakerUnderTest();
    subject.take(...changes);
    const told = subject.words().filter((word) => !word.startsWith('usb.'));
    assert.equal(told.join(' '), words);
  });

test('the cross-check carries on while the kernel source is lost, and stops when it is back [U1]', () => {
  const subject = new MakerUnderTest();
  const source = (state: 'lost' | 'restored', uptimeMs: number): UsbChange => ({
    ...attached(uptimeMs, a4),
    kind: 'source',
    state,
    why: 'monitor exited',
  });
  subject.take(
    source('lost', 1),
    source('lost', 2),
    attached(3, a4, from('libusb')),
    attached(4, a4, from('libusb')),
    detached(5, a4, from('libusb')),
    attached(6, a4, from('libusb')),
    source('restored', 7),
    attached(8, a5, from('libusb')),
  );
  assert.deepEqual(subject.words(), ['usb.source.lost', '+A', '-A', 'usb.source.restored']);
  const [lost] = subject.reader.types('usb.source.lost');
  assert.deepEqual([lost?.subject, lost?.data], ['usb', { source: 'kernel', why: 'monitor exited' }]);
});

test('10,000 plug cycles seen by kernel, udev, spool and cross-check give no duplicate and no loss [U2]', () => {
  const subject = new MakerUnderTest();
  const bus = new UsbBus();
  let changes = 0;
  for (let cycle = 0; cycle < 10_000; cycle += 1) {
    const now = cycle * 40;
    const port = `1-${1 + (cycle % 7)}`;
    const added = bus.plug(port, 'A', now);
    const gone = bus.unplug(port, now + 5);
    const reports: UsbChange[] = [
      added,
      gone,
      { ...added, source: 'udev' },
      { ...added, source: 'libusb', seqnum: null },
      { ...gone, source: 'udev' },
      { ...added, source: 'spool' },
      { ...gone, source: 'spool' },
      { ...gone, source: 'libusb', seqnum: null },
    ];
    changes += reports.length;
    subject.take(...reports);
  }
  assert.equal(subject.reader.types('usb.device.added').length, 10_000);
  assert.equal(subject.reader.types('usb.device.removed').length, 10_000);
  assert.equal(subject.metrics.total('events.deduplicated'), changes - 20_000);
});

test('what a spool, a scan or an inference tells is marked reconciled, what is seen live is not [U5]', () => {
  const subject = new MakerUnderTest();
  subject.take(
    attached(1, a4, from('spool', 7)),
    attached(2, b6, from('kernel', 9)),
    detached(3, b6, from('kernel', 10)),
    snapshot(4, [a5], { seqnum: 10 }),
  );
  const marks = subject.reader.drafts.map(({ data }) => [data.source, data.seqnum, data.reconciled ?? false]);
  assert.deepEqual(marks.slice(0, 5), [
    ['spool', 7, true],
    ['kernel', null, true],
    ['kernel', 9, false],
    ['kernel', 10, false],
    ['scan', null, true],
  ]);
});
