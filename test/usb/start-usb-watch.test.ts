import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import type { UsbConfig } from '../../src/contracts/config.ts';
import type { UsbChange, UsbState } from '../../src/contracts/usb-change.ts';
import { UsbDevice } from '../../src/contracts/usb-device.ts';
import { schemaCheck } from '../../src/lib/schema-check.ts';
import { startUsbWatch, type UsbPart, type UsbWatch } from '../../src/usb/start-usb-watch.ts';
import type { UsbTimings } from '../../src/usb/usb-timings.ts';
import { recordingLog } from '../support/recording-log.ts';
import { recordingMetrics } from '../support/recording-metrics.ts';
import { until } from '../support/until.ts';
import { bootId, type FileBus, fileBus, runningClock, spoolLine } from './file-bus.ts';

const check = schemaCheck(UsbDevice);
const keyboard = {
  set: 'boot-keyboard',
  manufacturer: 'Logitech',
  product: 'Keyboard',
  drivers: ['usbhid', 'usbhid'],
};
const stick = { set: 'flash-drive', product: 'Stick', serial: 'S1', drivers: ['usb-storage'] };

interface Watched {
  readonly watch: UsbWatch;
  readonly changes: readonly UsbChange[];
  readonly lines: () => readonly string[];
  readonly metrics: ReturnType<typeof recordingMetrics>;
  readonly health: ReadonlyMap<UsbPart, string>;
  readonly seen: (line: string) => Promise<unknown>;
}

interface WatchExtra {
  readonly known?: UsbState | null;
  readonly config?: Partial<UsbConfig>;
  readonly timings?: Partial<UsbTimings>;
}

async function watchBus(t: TestContext, bus: FileBus, extra: WatchExtra = {}): Promise<Watched> {
  const changes: UsbChange[] = [];
  const metrics = recordingMetrics();
  const health = new Map<UsbPart, string>();
  const watch = await startUsbWatch({
    config: {
      sysfsRoot: bus.sysfsRoot,
      spoolFile: bus.spoolFile,
      monitorCommand: bus.monitorCommand,
      crossCheck: false,
      simulated: false,
      debounceMs: 0,
      rescanSeconds: 300,
      portEventsPerSecond: 20,
      portBurst: 200,
      eventsPerSecond: 500,
      burst: 5_000,
      ...extra.config,
    },
    clock: runningClock(),
    metrics: metrics.usb,
    log: recordingLog(),
    report: (part) => (state, why) => void health.set(part, `${state}: ${why}`),
    known: extra.known ?? null,
    take: (taken) => void changes.push(...taken),
    procRoot: bus.procRoot,
    timings: { stringsMs: 10_000, tickMs: 20, pollMs: 50, backoffMinMs: 5, ...extra.timings },
  });
  t.after(() => watch.stop());
  const lines = () => changes.map(lineOf);
  const seen = (line: string) => until(line, () => lines().includes(line));
  return { watch, changes, lines, metrics, health, seen };
}

function lineOf(change: UsbChange): string {
  switch (change.kind) {
    case 'snapshot':
      return `snapshot ${change.reason} ${change.certainty} [${change.devices.map(({ port }) => port).join(' ')}]`;
    case 'source':
      return `${change.source} ${change.state}`;
    case 'detached':
      return `${change.source} detached ${change.port} ${change.address} ${change.seqnum}`;
    case 'ready':
      return `${change.source} ready ${change.port} ${change.readiness.drivers.join(' ')} ${change.seqnum}`;
    case 'attached':
    case 'changed':
      assert.ok(check(change.device).ok, JSON.stringify(check(change.device)));
      return `${change.source} ${change.kind} ${change.port} ${change.device.address} ${change.seqnum}`;
  }
}

function stateOf(bus: FileBus, devices: UsbState['devices'] = []): UsbState {
  return { bootId, seqnum: bus.lastSeqnum(), devices };
}

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

test('a short plug between two monitors is told from the spool, and the gap is complete [U5]', async (t) => {
  const bus = await fileBus(t);
  const { lines, seen } = await watchBus(t, bus, { timings: { backoffMinMs: 100, pollMs: 10_000 } });
  const { address, seqnum } = bus.plug('1-9', stick);
  await seen(`kernel attached 1-9 ${address} ${seqnum}`);
  bus.setUdevd(1);
  process.kill(bus.monitorPid(), 'SIGKILL');
  await seen('kernel lost');
  bus.skipNumbers(2);
  const uptimeMs = runningClock().uptimeMs();
  const short = { port: '1-1', address: 77, uptimeMs };
  bus.spool([
    spoolLine({ ...short, action: 'remove', seqnum: seqnum + 2 }),
    spoolLine({ ...short, action: 'add', seqnum: seqnum + 1 }),
  ]);
  await seen('snapshot monitor-exit complete [1-9]');
  assert.deepEqual(lines().slice(-3), [
    `spool attached 1-1 77 ${seqnum + 1}`,
    `spool detached 1-1 77 ${seqnum + 2}`,
    'snapshot monitor-exit complete [1-9]',
  ]);
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

test('the start reads the spool after what is stored; records told twice are told once [U2][U5]', async (t) => {
  const bus = await fileBus(t);
  const known = stateOf(bus);
  const uptimeMs = runningClock().uptimeMs();
  const from = known.seqnum;
  const address = bus.insert('1-1', keyboard);
  bus.skipNumbers(4);
  const short = { port: '1-2', address: 90, uptimeMs };
  bus.setUdevd(1);
  bus.spool([
    spoolLine({ ...short, action: 'add', seqnum: from }),
    spoolLine({ port: '1-1', address, uptimeMs, action: 'add', seqnum: from + 1 }),
    spoolLine({ ...short, action: 'add', seqnum: from + 2 }),
    spoolLine({ ...short, action: 'remove', seqnum: from + 3 }),
  ]);
  // The monitor was subscribed before the spool was read: its record of the same plug follows.
  bus.tell('add', '1-1', address, { seqnum: from + 1 });
  bus.tell('remove', '1-2', 90, { seqnum: from + 3 });
  const { changes, lines, seen } = await watchBus(t, bus, { known });
  const next = bus.plug('1-5', stick);
  await seen(`kernel attached 1-5 ${next.address} ${next.seqnum}`);
  assert.deepEqual(lines(), [
    `spool attached 1-1 ${address} ${from + 1}`,
    `spool ready 1-1 usbhid ${from + 1}`,
    `spool attached 1-2 90 ${from + 2}`,
    `spool detached 1-2 90 ${from + 3}`,
    'snapshot start complete [1-1]',
    `kernel attached 1-5 ${next.address} ${next.seqnum}`,
  ]);
  const [present, , left] = changes;
  assert.ok(present?.kind === 'attached' && left?.kind === 'attached');
  assert.notEqual(present.device.identity, null);
  assert.equal(left.device.serial, 'K1');
  assert.equal(left.device.manufacturer, 'Logi tech');
});

test('a short plug at a port that has another device by the time of the scan is told in its turn [U2][U5]', async (t) => {
  const bus = await fileBus(t);
  const known = stateOf(bus);
  const added = bus.tell('add', '1-1', 90);
  const removed = bus.tell('remove', '1-1', 90);
  const next = bus.plug('1-1', keyboard);
  const { lines } = await watchBus(t, bus, { known, timings: { catchUpMs: 20_000 } });
  assert.deepEqual(lines(), [
    `kernel attached 1-1 90 ${added}`,
    `kernel detached 1-1 90 ${removed}`,
    `kernel attached 1-1 ${next.address} ${next.seqnum}`,
    'snapshot start net-state-only [1-1]',
  ]);
});

test('the spool is emptied once the store has everything in it, and never before [U5]', async (t) => {
  const bus = await fileBus(t);
  const uptimeMs = runningClock().uptimeMs();
  const from = bus.lastSeqnum();
  const lines = [from, from + 1].map((seqnum) =>
    spoolLine({ action: seqnum === from ? 'add' : 'remove', port: '1-1', address: 5, uptimeMs, seqnum }),
  );
  bus.spool(lines);
  bus.setUdevd(1);
  const first = await watchBus(t, bus, { known: stateOf(bus) });
  await first.watch.stop();
  assert.equal(readFileSync(bus.spoolFile, 'utf8').split('\n').length, 3);
  const second = await watchBus(t, bus, { known: { ...stateOf(bus), seqnum: from + 1 } });
  await second.watch.stop();
  assert.match(
    readFileSync(bus.spoolFile, 'utf8'),
    new RegExp(`^emptied\t${bootId}\t[0-9.]+\t${from + 1}\n$`),
  );
  // The mark proves that the bus was watched until then: with the same udevd the next gap is complete again.
  const third = await watchBus(t, bus, { known: { ...stateOf(bus), seqnum: from + 1 } });
  assert.deepEqual(third.lines(), ['snapshot start complete []']);
});

test('after a reboot nothing before it is claimed [U5]', async (t) => {
  const bus = await fileBus(t);
  bus.setUdevd(1);
  bus.spool([
    spoolLine({ action: 'add', port: '1-1', address: 5, uptimeMs: 1_000, seqnum: 3, boot: 'f'.repeat(8) }),
  ]);
  const known = { ...stateOf(bus), bootId: '22222222-2222-4333-8444-555555555555' };
  const { lines, metrics } = await watchBus(t, bus, { known });
  assert.deepEqual(lines(), ['snapshot start net-state-only []']);
  assert.equal(metrics.total('usb.malformed', { code: 'usb.spool-line' }), 1);
});

test('a plug from before the monitor, which udevd tells late, is told [U5]', async (t) => {
  const bus = await fileBus(t);
  const { lines, seen } = await watchBus(t, bus);
  const early = bus.lastSeqnum() - 3;
  bus.tell('add', '1-7', 30, { origin: 'udev', seqnum: early });
  bus.tell('remove', '1-7', 30, { origin: 'udev', seqnum: early + 1 });
  const { address, seqnum } = bus.plug('1-1', keyboard);
  bus.tell('add', '1-1', address, { origin: 'udev' });
  bus.tell('bind', '1-1', address, { origin: 'udev' });
  await seen(`udev ready 1-1 usbhid ${seqnum}`);
  assert.deepEqual(lines().slice(1), [
    `udev attached 1-7 30 ${early}`,
    `udev detached 1-7 30 ${early + 1}`,
    `kernel attached 1-1 ${address} ${seqnum}`,
    `udev ready 1-1 usbhid ${seqnum}`,
  ]);
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
