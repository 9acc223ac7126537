import assert from 'node:assert/strict';
import test from 'node:test';
import type { EventDraft } from '../../src/contracts/event.ts';
import type { EventData } from '../../src/contracts/event-types.ts';
import { type Limits, MakerUnderTest } from './maker-under-test.ts';
import { attached, changed, device, UsbBus } from './usb-bus.ts';

const tight: Partial<Limits> = { portEventsPerSecond: 10, portBurst: 4 };

/** Plugs and unplugs A at the port, one change every `everyMs`. */
function flap(
  subject: MakerUnderTest,
  bus: UsbBus,
  port: string,
  times: number,
  everyMs: number,
  startMs: number,
) {
  for (let index = 0; index < times; index += 1) {
    const now = startMs + index * everyMs;
    subject.runTo(now);
    subject.take(bus.present.has(port) ? bus.unplug(port, now) : bus.plug(port, 'A', now));
  }
}

const dataOf = (draft: EventDraft | undefined) => draft?.data as EventData<'usb.suppressed'>;

test('over the limit of a port the rest is counted, and the net state follows [U3]', () => {
  const subject = new MakerUnderTest({ limits: tight });
  const bus = new UsbBus();
  flap(subject, bus, '1-1', 25, 1, 1_000);
  assert.deepEqual(subject.words(), ['+A', '-A', '+A', '-A']);
  assert.equal(subject.maker.nextDueMs(), 2_004);
  subject.runTo(2_004);
  assert.deepEqual(subject.words().slice(4), ['~~', '+A']);
  const suppressed = subject.reader.types('usb.suppressed')[0];
  assert.equal(suppressed?.subject, 'usb/1-1');
  assert.deepEqual(suppressed?.data, {
    port: '1-1',
    added: 10,
    removed: 10,
    other: 0,
    fromUptimeMs: 1_004,
    toUptimeMs: 1_024,
  });
  assert.equal(suppressed?.observed.uptimeMs, 2_004);
  assert.equal(subject.metrics.total('events.folded', { cause: 'rate' }), 20);
  assert.deepEqual(subject.maker.devices(), bus.devices());
  assert.equal(subject.maker.nextDueMs(), null);
});

test('a device that was told and is another in the end is removed and added, with their own instants [U3]', () => {
  const subject = new MakerUnderTest({ limits: { ...tight, portBurst: 3 } });
  const bus = new UsbBus();
  flap(subject, bus, '1-1', 8, 1, 1_000);
  subject.take(bus.plug('1-1', 'B', 1_010));
  subject.runTo(5_000);
  assert.deepEqual(subject.words(), ['+A', '-A', '+A', '~~', '-A', '+B']);
  assert.deepEqual(
    subject.reader.drafts.slice(4).map(({ observed }) => observed.uptimeMs),
    [1_003, 1_010],
  );
});

test('what was only late is told without a count of nothing [U3]', () => {
  const subject = new MakerUnderTest({ limits: tight });
  const bus = new UsbBus();
  flap(subject, bus, '1-1', 5, 1, 1_000);
  subject.runTo(5_000);
  assert.deepEqual(subject.words(), ['+A', '-A', '+A', '-A', '+A']);
  assert.equal(subject.metrics.total('events.folded', { cause: 'rate' }), 0);
});

test('a change and a ready over the limit are told of the device that stays [U3]', () => {
  const subject = new MakerUnderTest({ limits: { ...tight, portBurst: 2 } });
  const a = device('1-1', 'A', 4);
  const touched = (index: number) =>
    changed(1_000 + index, { ...a, maxPowerMilliamps: index }, { seqnum: index });
  subject.take(attached(1_000, a, { seqnum: 1 }), ...[2, 3, 4, 5].map(touched));
  subject.runTo(5_000);
  assert.deepEqual(subject.words(), ['+A', '~A', '~~', '~A']);
  const last = subject.reader.drafts.at(-1)?.data as EventData<'usb.device.changed'>;
  assert.deepEqual([last.was.maxPowerMilliamps, last.device.maxPowerMilliamps], [2, 5]);
  assert.equal(dataOf(subject.reader.types('usb.suppressed')[0]).other, 2);
});

test('a port that flaps for good keeps its rate, says so at most once a second, and ends true [U3]', () => {
  const subject = new MakerUnderTest({ limits: { portEventsPerSecond: 20, portBurst: 40 } });
  const bus = new UsbBus();
  flap(subject, bus, '1-1', 4_001, 5, 1_000);
  subject.runTo(60_000);
  const told = subject.reader.drafts.length;
  assert.ok(told > 300 && told < 40 + 20 * 22, `${told} events in 20 s at 20/s`);
  const suppressed = subject.reader.types('usb.suppressed').length;
  assert.ok(suppressed >= 10 && suppressed <= 21, `${suppressed} usb.suppressed in 20 s`);
  assert.deepEqual(subject.maker.devices(), bus.devices());
});

test('a flapping port neither delays nor suppresses another [U3]', () => {
  const limits = { debounceMs: 50, portEventsPerSecond: 20, portBurst: 50, eventsPerSecond: 100, burst: 200 };
  const subject = new MakerUnderTest({ limits });
  const bus = new UsbBus();
  let late = 0;
  for (let round = 0; round < 50; round += 1) {
    const now = 1_000 + round * 200;
    flap(subject, bus, '1-1', 30, 3, now);
    const change = bus.present.has('2-1') ? bus.unplug('2-1', now + 100) : bus.plug('2-1', 'B', now + 100);
    subject.take(change);
    const told = subject.runTo(now + 150).filter(({ subject: about }) => about === 'usb/2-1');
    if (told.length !== 1) late += 1;
  }
  assert.equal(late, 0);
  assert.ok(
    subject.reader.suppressed() > 0 || subject.metrics.total('events.folded', { cause: 'debounce' }) > 0,
  );
});

test('over the limit of all ports, one event counts for all, and the ports follow in turn [U3]', () => {
  const subject = new MakerUnderTest({ limits: { eventsPerSecond: 10, burst: 20 } });
  const bus = new UsbBus();
  const ports = Array.from({ length: 30 }, (_, index) => `1-${index + 1}`);
  for (const port of ports) flap(subject, bus, port, 3, 0, 1_000);
  assert.equal(subject.reader.drafts.length, 20);
  subject.runTo(2_000);
  assert.ok(subject.reader.drafts.length <= 31, 'ten in a second and the count');
  subject.runTo(60_000);
  const suppressed = subject.reader.types('usb.suppressed');
  assert.ok(
    suppressed.length >= 1 && suppressed.every(({ data }) => dataOf({ data } as EventDraft).port === null),
  );
  assert.equal(suppressed[0]?.subject, 'usb');
  assert.equal(subject.reader.suppressed(), subject.metrics.total('events.folded', { cause: 'rate' }));
  const added = subject.reader.types('usb.device.added').map(({ subject: about }) => about);
  assert.deepEqual(
    added.slice(-20),
    ports.slice(-20).map((port) => `usb/${port}`),
  );
  assert.deepEqual(subject.maker.devices(), bus.devices());
});

test('the smallest limits that the configuration allows still end in the true state [U3]', () => {
  const limits = { portEventsPerSecond: 0.1, portBurst: 2, eventsPerSecond: 1, burst: 2 };
  const subject = new MakerUnderTest({ limits });
  const bus = new UsbBus();
  for (const port of ['1-1', '1-2', '1-3']) flap(subject, bus, port, 7, 1, 1_000);
  subject.runTo(200_000);
  assert.deepEqual(subject.maker.devices(), bus.devices());
  assert.deepEqual(subject.reader.devices(), bus.devices());
});

test('4,096 ports are followed, more are counted, and an empty one makes room [Q3]', () => {
  const subject = new MakerUnderTest();
  const bus = new UsbBus();
  const first = bus.plug('99-1', 'A', 999);
  subject.take(first, bus.unplug('99-1', 999));
  const port = (index: number) => `${1 + Math.floor(index / 100)}-${1 + (index % 100)}`;
  for (let index = 0; index < 4_100; index += 1) subject.take(bus.plug(port(index), 'A', 1_000));
  assert.equal(subject.maker.devices().length, 4_096);
  assert.equal(subject.metrics.total('events.folded', { cause: 'too-many-ports' }), 4);
  subject.take(bus.unplug(port(0), 1_100), bus.plug(port(4_100), 'A', 1_200));
  subject.runTo(10_000);
  assert.ok(subject.reader.present.has(port(4_100)));
  subject.take(bus.unplug(port(1), 11_000), { ...first, source: 'udev' });
  assert.ok(!subject.reader.present.has('99-1'), 'a late report of a forgotten port was taken for a plug');
  assert.deepEqual(dataOf(subject.reader.types('usb.suppressed')[0]).added, 4);
});
