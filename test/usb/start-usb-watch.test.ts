import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { until } from '../support/until.ts';
import { fileBus, runningClock } from './file-bus.ts';
import { keyboard, stick, watchBus } from './watched-bus.ts';

test('a start tells what is plugged in, root hubs left out [U1][U5]', async (t) => {
  const bus = await fileBus(t);
  bus.insert('1-1', keyboard);
  bus.insert('1-2.3', stick);
  const { changes, lines, health } = await watchBus(t, bus);
  assert.deepEqual(lines(), ['snapshot start net-state-only [1-1 1-2.3]']);
  const [snapshot] = changes;
  assert.ok(snapshot?.kind === 'snapshot');
  assert.equal(snapshot.seqnum, bus.lastSeqnum());
  assert.equal(snapshot.blindSinceUptimeMs, null);
  assert.equal(snapshot.devices[1]?.serial, 'S1');
  assert.match(health.get('usb-monitor') ?? '', /^ok/);
  assert.match(health.get('usb-scan') ?? '', /^ok: devices found by the last scan: 2/);
  assert.match(health.get('usb-spool') ?? '', /^down: .*ENOENT/);
});

test('plug, ready and unplug are told in order from the records [U1][U4]', async (t) => {
  const bus = await fileBus(t);
  const { changes, lines, metrics, seen } = await watchBus(t, bus);
  const { address, seqnum } = bus.plug('1-1', keyboard);
  bus.tell('bind', '1-1', address, { origin: 'udev', properties: { DEVLINKS: '/dev/kbd /dev/other' } });
  await seen(`udev ready 1-1 usbhid ${seqnum}`);
  const gone = bus.unplug('1-1', address);
  await seen(`kernel detached 1-1 ${address} ${gone}`);
  assert.deepEqual(lines().slice(1), [
    `kernel attached 1-1 ${address} ${seqnum}`,
    `udev ready 1-1 usbhid ${seqnum}`,
    `kernel detached 1-1 ${address} ${gone}`,
  ]);
  const [, attached, ready] = changes;
  assert.ok(attached?.kind === 'attached' && ready?.kind === 'ready');
  assert.equal(attached.device.product, 'Keyboard');
  assert.match(attached.device.identity ?? '', /^[0-9a-f]{64}$/);
  const now = runningClock().uptimeMs();
  assert.ok(attached.observed.uptimeMs <= now && now - attached.observed.uptimeMs < 20_000);
  assert.deepEqual(ready.readiness, {
    node: `/dev/bus/usb/001/00${address}`,
    drivers: ['usbhid'],
    links: ['/dev/kbd', '/dev/other'],
  });
  assert.equal(metrics.total('usb.sourceRecords', { source: 'kernel' }), 2);
});

test('a device that leaves before it can be read is an event too [U1][U4]', async (t) => {
  const bus = await fileBus(t);
  const { changes, seen } = await watchBus(t, bus);
  const seqnum = bus.tell('add', '1-4', 9, { properties: { PRODUCT: '46d/c31c/4920' } });
  await seen(`kernel attached 1-4 9 ${seqnum}`);
  const attached = changes.at(-1);
  assert.ok(attached?.kind === 'attached');
  assert.equal(attached.device.identity, null);
  assert.equal(attached.device.vendorId, '046d');
});

test('without a bind record a device is ready a while after udev has added it [U4]', async (t) => {
  const bus = await fileBus(t);
  const { seen } = await watchBus(t, bus, { timings: { readyFallbackMs: 10 } });
  const { address, seqnum } = bus.plug('1-1', stick);
  bus.tell('add', '1-1', address, { origin: 'udev' });
  await seen(`udev ready 1-1 usb-storage ${seqnum}`);
});

test('a change of a device is told with what it is now; a synthetic plug is none [U1]', async (t) => {
  const bus = await fileBus(t);
  const address = bus.insert('1-1', keyboard);
  const { changes, lines, seen } = await watchBus(t, bus);
  bus.tell('remove', '1-1', address, { properties: { SYNTH_UUID: '0' } });
  bus.tell('add', '1-1', address, { properties: { SYNTH_UUID: '0' } });
  writeFileSync(path.join(bus.folderOf('1-1'), 'authorized'), '0\n');
  const seqnum = bus.tell('change', '1-1', address);
  await seen(`kernel changed 1-1 ${address} ${seqnum}`);
  assert.equal(lines().length, 2);
  const changed = changes.at(-1);
  assert.ok(changed?.kind === 'changed');
  assert.equal(changed.device.authorized, false);
});

test('a killed monitor is started again, and what it missed is found [U1][U5]', async (t) => {
  const bus = await fileBus(t);
  const { watch, lines, health, metrics, seen } = await watchBus(t, bus, { timings: { backoffMinMs: 60 } });
  const first = bus.monitorPid();
  process.kill(first, 'SIGKILL');
  await seen('kernel lost');
  assert.match(
    health.get('usb-monitor') ?? '',
    /^down: the monitor does not run \(it was ended by SIGKILL\)/,
  );
  assert.equal(metrics.total('usb.sourceUp', { source: 'kernel' }), 0);
  bus.insert('1-1', keyboard);
  await seen('snapshot monitor-exit net-state-only [1-1]');
  await seen('udev restored');
  const { address, seqnum } = bus.plug('1-2', stick);
  await seen(`kernel attached 1-2 ${address} ${seqnum}`);
  assert.notEqual(bus.monitorPid(), first);
  assert.equal(metrics.total('usb.sourceUp', { source: 'kernel' }), 1);
  assert.ok(lines().indexOf('kernel restored') > lines().indexOf('kernel lost'));
  const second = bus.monitorPid();
  await watch.stop();
  assert.throws(() => process.kill(second, 0), { code: 'ESRCH' });
});

test('a monitor that cannot be started leaves scans, and says what to look at [U1]', async (t) => {
  const bus = await fileBus(t);
  const { health, lines, seen } = await watchBus(t, bus, {
    config: { monitorCommand: [path.join(bus.dir, 'no-such-udevadm')] },
    timings: { backoffMinMs: 10_000 },
  });
  assert.match(health.get('usb-monitor') ?? '', /^down: .*ENOENT.*no-such-udevadm/);
  bus.insert('1-1', keyboard);
  await seen('snapshot monitor-exit net-state-only [1-1]');
  assert.equal(lines().filter((line) => line === 'kernel lost').length, 1);
});

test('a hole in the numbering is looked into; one that took no USB event with it says nothing [U1]', async (t) => {
  const bus = await fileBus(t);
  const { lines, metrics, seen } = await watchBus(t, bus);
  const first = bus.plug('1-1', keyboard);
  await seen(`kernel attached 1-1 ${first.address} ${first.seqnum}`);
  bus.skipNumbers(3);
  const scans = metrics.total('usb.sourceRecords', { source: 'scan' });
  const second = bus.plug('1-2', stick);
  await until('a scan', () => metrics.total('usb.sourceRecords', { source: 'scan' }) > scans);
  assert.deepEqual(lines().slice(2), [`kernel attached 1-2 ${second.address} ${second.seqnum}`]);
  bus.insert('1-3', stick);
  bus.skipNumbers(1);
  const third = bus.plug('1-4', stick);
  await seen('snapshot monitor-stall net-state-only [1-1 1-2 1-3 1-4]');
  assert.ok(lines().includes(`kernel attached 1-4 ${third.address} ${third.seqnum}`));
});

test('a record that was printed twice counts once, and is said [U2][Q3]', async (t) => {
  const bus = await fileBus(t);
  const { lines, metrics, seen } = await watchBus(t, bus);
  const { address, seqnum } = bus.plug('1-1', keyboard);
  bus.tell('remove', '1-1', address, { seqnum });
  const next = bus.plug('1-2', stick);
  await seen(`kernel attached 1-2 ${next.address} ${next.seqnum}`);
  assert.equal(lines().length, 3);
  assert.equal(metrics.total('usb.malformed', { code: 'usb.monitor-seqnum-repeated' }), 1);
});

test('a rescan that finds what no record explained replaces the monitor [U1]', async (t) => {
  const bus = await fileBus(t);
  const { watch, lines, seen } = await watchBus(t, bus, { timings: { stallGraceMs: 10 } });
  const first = bus.monitorPid();
  await watch.rescan();
  assert.equal(lines().at(-1), 'snapshot timer complete []');
  bus.insert('1-1', keyboard);
  await watch.rescan();
  assert.equal(lines().at(-1), 'snapshot timer complete [1-1]');
  await seen('snapshot monitor-stall net-state-only [1-1]');
  assert.notEqual(bus.monitorPid(), first);
});

test('udevd that does not answer is said, and said again when it does [U1]', async (t) => {
  const bus = await fileBus(t);
  const { health, seen } = await watchBus(t, bus, { timings: { udevPatienceMs: 50 } });
  const { address } = bus.plug('1-1', keyboard);
  await seen('udev lost');
  assert.match(health.get('usb-monitor') ?? '', /^degraded: udevd does not answer/);
  bus.tell('bind', '1-1', address, { origin: 'udev' });
  await seen('udev restored');
  assert.match(health.get('usb-monitor') ?? '', /^ok/);
});

test('a bus that cannot be read is said; records go on [U1]', async (t) => {
  const bus = await fileBus(t);
  const { health, lines, seen } = await watchBus(t, bus, {
    config: { sysfsRoot: path.join(bus.dir, 'none') },
  });
  assert.match(health.get('usb-scan') ?? '', /^down: .*none\/bus\/usb\/devices cannot be read \(ENOENT\)/);
  const seqnum = bus.tell('add', '1-1', 3);
  await seen(`kernel attached 1-1 3 ${seqnum}`);
  assert.equal(lines().length, 1);
});

test('a thousand plugs and unplugs arrive, each once and in order [U2]', async (t) => {
  const bus = await fileBus(t);
  const { lines, seen } = await watchBus(t, bus);
  const expected: string[] = [];
  for (let round = 0; round < 500; round++) {
    const { address, seqnum } = bus.plug('1-1', stick);
    const gone = bus.unplug('1-1', address);
    expected.push(`kernel attached 1-1 ${address} ${seqnum}`, `kernel detached 1-1 ${address} ${gone}`);
    // The pipe holds 64 KiB; the kernel's socket is drained by a reader of its own.
    if (round % 20 === 19) await seen(expected.at(-1) ?? '');
  }
  assert.deepEqual(lines().slice(1), expected);
});
