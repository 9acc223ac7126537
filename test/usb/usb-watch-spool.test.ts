// What happened while no monitor listened: the spool, gaps in the numbering of the kernel, a start after a reboot.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { bootId, fileBus, runningClock, spoolLine } from './file-bus.ts';
import { keyboard, stateOf, stick, watchBus } from './watched-bus.ts';

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

for (const reason of ['timer', 'monitor-stall'] as const)
  test(`a scan (${reason}) waits for a monitor that is late, so a short plug between two others is told in its turn [U2]`, async (t) => {
    const bus = await fileBus(t);
    const first = bus.plug('1-1', stick);
    const { lines, seen, watch } = await watchBus(t, bus, {
      timings: { catchUpMs: 1, lateMonitorMs: 20_000 },
    });
    await seen('snapshot start net-state-only [1-1]');
    const begun = lines().length;
    bus.withdraw('1-1');
    const from = bus.lastSeqnum();
    bus.skipNumbers(6);
    const address = bus.insert('1-1', keyboard);
    // The record before it is missing: a tick later the bus is scanned.
    if (reason === 'monitor-stall') bus.tell('remove', '1-7', 91, { seqnum: from + 2 });
    const rescanned = reason === 'timer' ? watch.rescan() : null;
    const late = [
      ['remove', first.address],
      ['add', 90],
      ['remove', 90],
      ['add', address],
    ] as const;
    for (const [index, [action, of]] of late.entries()) {
      // All of it takes longer than a scan.
      await delay(60);
      bus.tell(action, '1-1', of, { seqnum: from + 3 + index });
    }
    await rescanned;
    await seen(`kernel attached 1-1 ${address} ${from + 6}`);
    assert.deepEqual(
      lines()
        .slice(begun)
        .filter((line) => !line.includes(' 1-7 ')),
      [
        `kernel detached 1-1 ${first.address} ${from + 3}`,
        `kernel attached 1-1 90 ${from + 4}`,
        `kernel detached 1-1 90 ${from + 5}`,
        `kernel attached 1-1 ${address} ${from + 6}`,
        // A scan that nothing of is news any more is not told, except that of the timer.
        ...(reason === 'timer' ? ['snapshot timer complete [1-1]'] : []),
      ],
    );
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
