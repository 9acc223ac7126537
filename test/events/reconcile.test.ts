import assert from 'node:assert/strict';
import test from 'node:test';
import type { EventData } from '../../src/contracts/event-types.ts';
import type { UsbChange } from '../../src/contracts/usb-change.ts';
import { MakerUnderTest } from './maker-under-test.ts';
import { attached, BOOT, detached, device, NEXT_BOOT, ready, snapshot } from './usb-bus.ts';

const [a, b, c] = [device('1-1', 'A', 4), device('1-2', 'B', 5), device('1-3', 'C', 6)];

/** A maker that has told `changes` and is then started again, in the same boot or the next. */
function restarted(changes: readonly UsbChange[], bootId = BOOT): MakerUnderTest {
  const before = new MakerUnderTest();
  before.take(...changes);
  if (bootId !== BOOT) before.reader.reboot();
  return new MakerUnderTest({ known: before.reader.known(), bootId, reader: before.reader });
}

function wordsOf(subject: MakerUnderTest, ...changes: readonly UsbChange[]): string {
  const from = subject.reader.drafts.length;
  subject.take(...changes);
  return subject.reader.words(from).join(' ');
}

const plugged = [attached(1, a, { seqnum: 1 }), attached(2, b, { seqnum: 2 })];
const facts = (subject: MakerUnderTest) => {
  const { data } = subject.reader.drafts.at(-1) ?? {};
  return data as EventData<'usb.device.reconciled'>;
};

test('the first start tells every device and how many there are [U5]', () => {
  const subject = new MakerUnderTest();
  assert.equal(wordsOf(subject, snapshot(5, [c, a, b])), '+A +B +C usb.device.reconciled');
  assert.deepEqual(facts(subject), {
    reason: 'start',
    certainty: 'complete',
    present: 3,
    added: 3,
    removed: 0,
    changed: 0,
    blindSinceUptimeMs: null,
  });
});

test('a restart at an unchanged bus tells nothing but that it looked [U5]', () => {
  const subject = restarted(plugged);
  assert.equal(wordsOf(subject, ...plugged, snapshot(5, [a, b], { seqnum: 2 })), 'usb.device.reconciled');
  assert.deepEqual(subject.maker.devices(), [a, b]);
});

test('a short plug that a scan overtook is told after a kill: a scan is no watermark [U5]', () => {
  // Its records were on their way when the scan, which cannot show it, was stored.
  const subject = restarted([...plugged, snapshot(9, [a, b, c], { seqnum: 9 })]);
  const d = device('1-4', 'D', 21);
  const spooled = [
    attached(3, c, { seqnum: 5, source: 'spool' }),
    attached(4, d, { seqnum: 7, source: 'spool' }),
    detached(5, d, { seqnum: 8, source: 'spool' }),
  ];
  assert.equal(
    wordsOf(subject, ...spooled, snapshot(12, [a, b, c], { seqnum: 10 })),
    '+D -D usb.device.reconciled',
  );
});

test('a restart tells the differences: gone, new, changed, replugged [U5]', () => {
  const subject = restarted([...plugged, attached(3, c, { seqnum: 3 })]);
  const scan = snapshot(9, [{ ...a, authorized: true }, { ...b, address: 20 }, device('1-4', 'D', 21)], {
    certainty: 'net-state-only',
    seqnum: 9,
  });
  assert.equal(wordsOf(subject, scan), '~A -B +B -C +D usb.device.reconciled');
  const { added, removed, changed, certainty } = facts(subject);
  assert.deepEqual([added, removed, changed, certainty], [2, 2, 1, 'net-state-only']);
  assert.ok(subject.reader.drafts.slice(3, -1).every(({ data }) => data.reconciled === true));
});

test('only the timer keeps silent about a bus on which nothing differs [U5]', () => {
  const subject = new MakerUnderTest();
  subject.take(...plugged);
  const scan = (reason: 'start' | 'monitor-exit' | 'monitor-stall' | 'timer', devices = [a, b]) =>
    wordsOf(subject, snapshot(9, devices, { reason, seqnum: 2 }));
  assert.equal(scan('timer'), '');
  assert.equal(scan('monitor-exit'), 'usb.device.reconciled');
  assert.equal(scan('monitor-stall'), 'usb.device.reconciled');
  assert.equal(scan('timer', [a]), '-B usb.device.reconciled');
});

test('after a reboot the same devices at the same ports are kept without an event, addresses mean nothing [U5]', () => {
  const moved = [
    { ...a, address: 9 },
    { ...b, address: 4, bus: 2 },
  ];
  const subject = restarted([...plugged, attached(3, c, { seqnum: 3 })], NEXT_BOOT);
  const other = device('1-3', 'D', 7);
  assert.equal(
    wordsOf(subject, snapshot(5, [...moved, other], { seqnum: 900 })),
    '-C +D usb.device.reconciled',
  );
  assert.deepEqual(subject.maker.devices(), [...moved, other]);
  assert.deepEqual(
    subject.reader.known()?.devices.toSorted((x, y) => (x.port < y.port ? -1 : 1)),
    [...moved, other],
  );
  assert.equal(wordsOf(subject, detached(6, { ...a, address: 9 }, { seqnum: 901 })), '-A');
});

test('after a reboot a changed fact of a kept device is told [U5]', () => {
  const subject = restarted(plugged, NEXT_BOOT);
  const scan = snapshot(5, [{ ...a, address: 9, speedMbps: 480 }, b]);
  assert.equal(wordsOf(subject, scan), '~A usb.device.reconciled');
});

test("after a reboot the spool's adds of devices that were there before are no plugs [U5]", () => {
  const subject = restarted([...plugged, ready(3, a, { seqnum: 1 })], NEXT_BOOT);
  const [again, other] = [{ ...a, address: 2 }, device('1-2', 'E', 3)];
  const spool = [
    attached(1, again, { source: 'spool', seqnum: 800 }),
    ready(1, again, { seqnum: 800 }),
    attached(2, other, { source: 'spool', seqnum: 801 }),
    detached(3, again, { source: 'spool', seqnum: 802 }),
    attached(4, { ...a, address: 5 }, { source: 'spool', seqnum: 803 }),
  ];
  assert.equal(wordsOf(subject, ...spool.slice(0, 2)), '');
  assert.deepEqual(subject.maker.devices(), [again, b]);
  assert.equal(wordsOf(subject, ...spool.slice(2)), '-B +E -A +A');
  assert.equal(
    wordsOf(subject, snapshot(9, [{ ...a, address: 5 }, other], { seqnum: 803 })),
    'usb.device.reconciled',
  );
});

test('a crash between the first event and the first scan of a boot does not make plugs of the rest [U5]', () => {
  const subject = restarted(plugged, NEXT_BOOT);
  assert.equal(wordsOf(subject, attached(1, c, { seqnum: 700 })), '+C');
  const after = new MakerUnderTest({
    known: subject.reader.known(),
    bootId: NEXT_BOOT,
    reader: subject.reader,
  });
  const moved = [{ ...a, address: 30 }, { ...b, address: 31 }, c];
  assert.equal(wordsOf(after, snapshot(5, moved, { seqnum: 700 })), 'usb.device.reconciled');
  assert.deepEqual(after.maker.devices(), moved);
});

test('a ready that was not stored before the crash is told after it, and only once [U5]', () => {
  const first = restarted(plugged);
  assert.equal(wordsOf(first, ready(3, a, { source: 'spool', seqnum: 1 })), '!A');
  const second = new MakerUnderTest({ known: first.reader.known(), reader: first.reader });
  assert.equal(wordsOf(second, ready(4, a, { source: 'spool', seqnum: 1 })), '');
});

test('a port held by debounce keeps the watermark back, and the other ports are still told once [U5]', () => {
  const before = new MakerUnderTest({ limits: { debounceMs: 50 } });
  const short = [attached(12, b, { seqnum: 12 }), detached(13, b, { seqnum: 13 })];
  before.take(...short, attached(61, a, { seqnum: 14 }));
  before.runTo(80);
  assert.deepEqual(before.words(), ['+B', '-B']);
  assert.equal(before.reader.known()?.seqnum, 13);
  const held = [
    attached(82, c, { seqnum: 15 }),
    attached(83, b, { seqnum: 16 }),
    detached(83, b, { seqnum: 17 }),
  ];
  before.take(...held);
  // The hold of 1-1 ends, those of 1-3 and 1-2 do not; then the daemon dies.
  before.runTo(111);
  assert.deepEqual(before.words(), ['+B', '-B', '+A']);
  assert.equal(before.reader.known()?.seqnum, 14);
  const after = new MakerUnderTest({ known: before.reader.known(), reader: before.reader });
  after.take(...[...short, ...held].map((change) => ({ ...change, source: 'spool' as const })));
  assert.deepEqual(after.words(), ['+B', '-B', '+A', '+C', '+B', '-B']);
  assert.equal(after.reader.known()?.seqnum, 17);
  assert.ok(
    !Object.keys(after.reader.fields).includes('usb.port.1-2'),
    'the mark of an empty port outlives its use',
  );
});

test('a port of which only a count was told is not told again after a crash [U5]', () => {
  const limits = { debounceMs: 10_000, portEventsPerSecond: 1_000, portBurst: 2 };
  const before = new MakerUnderTest({ limits });
  // 1-3 is held all the time, and with it the watermark; 1-1 fills its hold, and all but two go into the count.
  const waiting = attached(0, c, { seqnum: 1 });
  const flapping = Array.from({ length: 64 }, (_, index) => {
    const what = device('1-1', 'AB'.charAt((index >> 1) % 2), 10 + (index >> 1));
    return (index % 2 === 0 ? attached : detached)(1, what, { seqnum: 2 + index });
  });
  before.take(waiting, ...flapping);
  before.runTo(1_001);
  assert.deepEqual(before.words(), ['+A', '-A', '~~']);
  assert.equal(before.reader.known()?.seqnum, 0);
  const after = new MakerUnderTest({ known: before.reader.known(), reader: before.reader });
  after.take(waiting, ...flapping);
  assert.deepEqual(after.words(), ['+A', '-A', '~~', '+C']);
});

test('wall time that jumps changes no order, no hold and no limit [U9]', () => {
  const limits = { debounceMs: 50, portEventsPerSecond: 10, portBurst: 4 };
  const changes = Array.from({ length: 60 }, (_, index) => {
    const what = { ...a, address: 1 + Math.floor(index / 2) };
    const make = index % 2 === 0 ? attached : detached;
    return make(1_000 + index * (index % 7 === 0 ? 80 : 20), what, { seqnum: index + 1 });
  });
  const run = (wall: (uptimeMs: number) => number) => {
    const subject = new MakerUnderTest({ limits });
    for (const change of changes) {
      subject.runTo(change.observed.uptimeMs);
      subject.take({ ...change, observed: { ...change.observed, wallMs: wall(change.observed.uptimeMs) } });
    }
    subject.runTo(100_000);
    return subject.reader.drafts.map(({ type, data, observed }) => [type, data, observed.uptimeMs]);
  };
  const steady = run((uptimeMs) => uptimeMs);
  assert.ok(steady.length > 5);
  assert.deepEqual(
    run((uptimeMs) => (uptimeMs % 3) * -1e12),
    steady,
  );
});
