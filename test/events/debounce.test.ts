import assert from 'node:assert/strict';
import test from 'node:test';
import type { UsbChange } from '../../src/contracts/usb-change.ts';
import { type Limits, MakerUnderTest } from './maker-under-test.ts';
import { at, attached, changed, detached, device, ready, snapshot, unreadable } from './usb-bus.ts';

const held: Partial<Limits> = { debounceMs: 50 };

/** Words like `+A -A +B`, one every `everyMs`, as records of port 1-1; every plug has an address of its own. */
function records(words: string, everyMs: number, startMs = 1_000): UsbChange[] {
  let address = 10;
  return words.split(' ').map((word, index) => {
    if (word.startsWith('+')) address += 1;
    const readable = device('1-1', word.slice(1), address);
    const what = word.endsWith('?') ? unreadable(readable) : readable;
    const [time, from] = [startMs + index * everyMs, { seqnum: 100 + index }];
    if (word.startsWith('+')) return attached(time, what, from);
    if (word.startsWith('~')) return changed(time, { ...what, authorized: index % 2 === 0 }, from);
    if (word.startsWith('!')) return ready(time, what, from);
    return detached(time, what, from);
  });
}

/** Words of the records that come 10 ms apart -> what is told once the port is quiet. */
const cases: readonly (readonly [string, string])[] = [
  ['+A', '+A'],
  ['+A -A', '+A -A'],
  ['+A -A +A', '+A(2)'],
  ['+A -A +A -A', '+A(2) -A'],
  ['+A -A +A -A +A', '+A(4)'],
  ['+A -A +B', '+A -A +B'],
  ['+A -A +B -B +A', '+A -A +B -B +A'],
  ['+A -A +B -B +B', '+A -A +B(2)'],
  ['+A -A +A -A +B', '+A(2) -A +B'],
  ['+? -? +? -? +?', '+? -? +? -? +?'],
  ['+A !A -A', '+A !A -A'],
  ['+A !A -A +A', '+A(2)'],
  ['+A -A +A !A', '+A(2) !A'],
  ['+A ~A -A +A ~A !A', '+A(2) ~A !A'],
];
for (const [words, told] of cases)
  test(`within the window ${words} is told as ${told} [U3]`, () => {
    const subject = new MakerUnderTest({ limits: held });
    const changes = records(words, 10);
    assert.deepEqual(subject.take(...changes), [], 'told before the port was quiet');
    subject.runTo(10_000);
    assert.equal(subject.words().join(' '), told);
    assert.equal(
      subject.metrics.total('events.folded', { cause: 'debounce' }),
      changes.length - told.split(' ').length,
    );
    assert.equal(subject.maker.nextDueMs(), null);
  });

const verdict = { target: 'block', by: 'implicit', reason: 'no rule applies', enforced: true } as const;

test('a verdict that comes while the added is held is part of it, and what else changes is not [U6]', () => {
  const subject = new MakerUnderTest({ limits: held });
  const plugged = device('1-1', 'A', 11, { authorized: false });
  const judged = { ...plugged, policy: verdict };
  const works = { ...judged, authorized: true, policy: { ...verdict, target: 'allow' } as const };
  subject.take(
    attached(1_000, plugged, { seqnum: 100 }),
    changed(1_010, judged),
    changed(1_020, works),
    changed(1_030, { ...works, speedMbps: 12 }),
  );
  const drafts = subject.runTo(10_000);
  assert.deepEqual(
    drafts.map(({ type }) => type),
    ['usb.device.added', 'usb.device.changed'],
  );
  assert.deepEqual(drafts[0]?.data.device, works);
});

test('a device that cannot be read is told with its verdict, and a later sight of it without strings too [U6]', () => {
  const subject = new MakerUnderTest({});
  const readable = device('1-1', 'A', 11);
  const unknown = unreadable(readable);
  subject.take(attached(1_000, unknown, { seqnum: 100 }));
  const [told] = subject.take(changed(1_010, { ...unknown, authorized: false, policy: verdict }));
  assert.equal(told?.type, 'usb.device.changed');
  assert.deepEqual(told?.data.device, { ...unknown, authorized: false, policy: verdict });
  assert.deepEqual(subject.maker.devices(), [{ ...unknown, authorized: false, policy: verdict }]);
  assert.deepEqual(subject.take(changed(1_020, { ...unknown, authorized: false })), [], 'nothing new');
  subject.take(changed(1_030, { ...readable, authorized: false, policy: verdict }));
  const [again] = subject.take(
    changed(1_040, { ...unknown, authorized: true, policy: { ...verdict, target: 'allow' } }),
  );
  assert.deepEqual(again?.data.device, {
    ...readable,
    authorized: true,
    policy: { ...verdict, target: 'allow' },
  });
});

const fromPresent: readonly (readonly [string, string])[] = [
  ['-A', '-A'],
  ['-A +A', '-A +A'],
  ['-A +A -A', '-A(2)'],
  ['-A +A -A +A', '-A +A(2)'],
  ['-A +B -B +A', '-A +B -B +A'],
  ['!A -A +A -A', '!A -A(2)'],
];
for (const [words, told] of fromPresent)
  test(`with A plugged in, within the window ${words} is told as ${told} [U3]`, () => {
    const subject = new MakerUnderTest({ limits: held });
    const [first, ...rest] = records(`+A ${words}`, 10);
    assert.ok(first !== undefined);
    subject.take({ ...first, observed: at(100) });
    subject.runTo(900);
    subject.take(...rest);
    subject.runTo(10_000);
    assert.equal(subject.words().join(' '), `+A ${told}`);
  });

test('debounce 0 tells at once and asks for nothing later [U3]', () => {
  const subject = new MakerUnderTest();
  for (const change of records('+A !A -A +A', 1)) assert.equal(subject.take(change).length, 1);
  assert.equal(subject.maker.nextDueMs(), null);
});

test('a plug of 20 ms is added and removed, each with the instant of its own change [U3]', () => {
  const subject = new MakerUnderTest({ limits: held });
  subject.take(...records('+A -A', 20));
  assert.equal(subject.maker.nextDueMs(), 1_070);
  subject.runTo(1_070);
  assert.deepEqual(
    subject.reader.drafts.map(({ observed }) => observed),
    [at(1_000), at(1_020)],
  );
});

test('of a longer flapping the last plug and unplug are told, with their own instants and addresses [U3]', () => {
  const subject = new MakerUnderTest({ limits: held });
  subject.take(...records('+A -A +A -A', 10));
  subject.runTo(2_000);
  const told = subject.reader.drafts.map(({ data, observed }) => {
    const { address } = data.device as { readonly address: number };
    return [address, data.seqnum, observed.uptimeMs];
  });
  assert.deepEqual(told, [
    [12, 102, 1_020],
    [12, 103, 1_030],
  ]);
});

test('plugs further apart than the window are not folded, however late due() is called [U3]', () => {
  const subject = new MakerUnderTest({ limits: held });
  subject.take(...records('+A -A +A -A', 51));
  subject.flush(at(2_000));
  assert.deepEqual(subject.words(), ['+A', '-A', '+A', '-A']);
});

test('a port that never gets quiet is told after ten times the window, and memory stays bounded [U3]', () => {
  const subject = new MakerUnderTest({ limits: held });
  const flapping = records(Array.from({ length: 200 }, (_, n) => (n % 2 === 0 ? '+A' : '-A')).join(' '), 20);
  subject.take(...flapping);
  const told = subject.words();
  assert.ok(told.length >= 7 && told.length <= 20, told.join(' '));
  subject.flush(at(9_000));
  assert.equal(subject.reader.present.size, 0);

  const dense = new MakerUnderTest({ limits: { debounceMs: 10_000 } });
  dense.take(...records(Array.from({ length: 200 }, (_, n) => (n % 2 === 0 ? '+A' : '-A')).join(' '), 0));
  assert.ok(dense.words().length > 0, 'held without bound');
});

test('ready waits for its added and delays nothing [U3]', () => {
  const subject = new MakerUnderTest({ limits: held });
  subject.take(...records('+A !A', 40));
  assert.equal(subject.maker.nextDueMs(), 1_050);
  subject.runTo(1_050);
  assert.deepEqual(subject.words(), ['+A', '!A']);
  const later = new MakerUnderTest({ limits: held });
  later.take(...records('+A !A', 60));
  assert.deepEqual(later.words(), ['+A', '!A'], 'the added was due, and its ready has nothing to wait for');
});

test('a device read at last while it is held is added complete, without a changed [U4]', () => {
  const subject = new MakerUnderTest({ limits: held });
  const whole = device('1-1', 'A', 4);
  subject.take(
    attached(1, unreadable(whole), { seqnum: 1 }),
    attached(2, whole, { source: 'udev', seqnum: 1 }),
  );
  subject.runTo(1_000);
  assert.deepEqual(subject.words(), ['+A']);
  assert.deepEqual(subject.reader.drafts[0]?.data.device, whole);
});

test('a scan tells what its port held first, and reports nothing twice [U5]', () => {
  const subject = new MakerUnderTest({ limits: held });
  const [a, b] = [device('1-1', 'A', 4), device('1-2', 'B', 5)];
  subject.take(attached(1, a, { seqnum: 1 }), attached(2, b, { seqnum: 2 }), snapshot(3, [a], { seqnum: 2 }));
  assert.deepEqual(subject.words(), ['+B', '-B', 'usb.device.reconciled']);
  subject.runTo(1_000);
  assert.deepEqual(subject.words(), ['+B', '-B', 'usb.device.reconciled', '+A']);
  assert.deepEqual(subject.maker.devices(), [a]);
});

test('flush tells everything that is held [Q2]', () => {
  const subject = new MakerUnderTest({ limits: { ...held, portBurst: 2, portEventsPerSecond: 0.1 } });
  subject.take(...records('+A -A +B -B +C -C +D', 60));
  subject.flush(at(2_000));
  assert.deepEqual(subject.words(), ['+A', '-A', '~~', '+D']);
  assert.equal(subject.maker.nextDueMs(), null);
});
