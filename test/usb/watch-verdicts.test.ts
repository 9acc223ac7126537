// The watch with a gatekeeper: what a sight of a device says of its verdict, and when.
import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import type { UsbDevice } from '../../src/contracts/usb-device.ts';
import type { UsbGatekeeper, UsbVerdict } from '../../src/contracts/usb-policy.ts';
import { until } from '../support/until.ts';
import { type FileBus, fileBus } from './file-bus.ts';
import { keyboard, stick, type Watched, watchBus } from './watched-bus.ts';

const verdictOf = (target: UsbVerdict['target']): UsbVerdict => ({
  target,
  by: 'rule',
  line: 1,
  reason: 'a test',
  enforced: true,
});
/** Sticks are blocked, all else is allowed. */
const gatekeeper = (blocked = '1-2'): UsbGatekeeper => ({
  judge: ({ port }) => verdictOf(port === blocked ? 'block' : 'allow'),
  forget: () => undefined,
  generation: () => 0,
});
const unauthorized = { attributes: { authorized: '0' } };
const sightsOf = ({ changes }: Watched, port: string): readonly UsbDevice[] =>
  changes.flatMap((change) => {
    if (change.kind === 'snapshot') return change.devices.filter((device) => device.port === port);
    return (change.kind === 'attached' || change.kind === 'changed') && change.port === port
      ? [change.device]
      : [];
  });
const authorized = (bus: FileBus, port: string) =>
  readFileSync(path.join(bus.folderOf(port), 'authorized'), 'latin1').trim();

test('the scan of the start tells the verdicts with the devices, and what became of them meanwhile [U6]', async (t) => {
  const bus = await fileBus(t);
  bus.insert('1-1', { ...keyboard, ...unauthorized });
  bus.insert('1-2', stick);
  const watched = await watchBus(t, bus, { gatekeeper: gatekeeper() });
  assert.deepEqual([authorized(bus, '1-1'), authorized(bus, '1-2')], ['1', '0']);
  const [snapshot] = watched.changes.filter(({ kind }) => kind === 'snapshot');
  assert.ok(snapshot?.kind === 'snapshot');
  assert.deepEqual(
    snapshot.devices.map((device) => [device.port, device.authorized, device.policy?.target]),
    [
      ['1-1', true, 'allow'],
      ['1-2', false, 'block'],
    ],
  );
});

test('a blocked device is judged on the record of the kernel alone, before udev has done anything [U6]', async (t) => {
  const bus = await fileBus(t);
  const watched = await watchBus(t, bus, { gatekeeper: gatekeeper() });
  bus.plug('1-2', { ...stick, ...unauthorized });
  await until('the verdict is told', () => sightsOf(watched, '1-2').at(-1)?.policy?.target === 'block');
  assert.deepEqual(sightsOf(watched, '1-2').at(-1)?.policy, verdictOf('block'));
});

test('an allowed device is judged at once and authorized once udev has handed its files over [U6]', async (t) => {
  const bus = await fileBus(t);
  const watched = await watchBus(t, bus, { gatekeeper: gatekeeper() });
  const { address } = bus.plug('1-1', { ...keyboard, ...unauthorized });
  await until('the verdict is told', () => sightsOf(watched, '1-1').at(-1)?.policy?.target === 'allow');
  assert.equal(authorized(bus, '1-1'), '0', 'the runtime may not write yet');
  bus.tell('add', '1-1', address, { origin: 'udev' });
  await until('it is told as working', () => sightsOf(watched, '1-1').at(-1)?.authorized === true);
  assert.equal(authorized(bus, '1-1'), '1');
});

test('a device without readable descriptors is told with the verdict that keeps it out [U6]', async (t) => {
  const bus = await fileBus(t);
  const watched = await watchBus(t, bus, { gatekeeper: gatekeeper() });
  const address = bus.insert('1-2', { ...stick, ...unauthorized });
  rmSync(path.join(bus.folderOf('1-2'), 'descriptors'));
  bus.tell('add', '1-2', address);
  await until('the verdict is told', () => sightsOf(watched, '1-2').at(-1)?.policy?.target === 'block');
});

test('a scan that comes after a verdict takes nothing of it back [U6]', async (t) => {
  const bus = await fileBus(t);
  bus.insert('1-1', { ...keyboard, ...unauthorized });
  const watched = await watchBus(t, bus, { gatekeeper: gatekeeper() });
  await watched.watch.rescan();
  writeFileSync(path.join(bus.folderOf('1-1'), 'authorized'), '0\n');
  await watched.watch.rescan();
  const sights = sightsOf(watched, '1-1');
  assert.deepEqual(
    sights.map(({ policy }) => policy?.target),
    sights.map(() => 'allow'),
  );
  assert.equal(sights.at(-1)?.authorized, true, 'judgeAll has put it right before the scan was told');
});

test('what left while nobody told of it is forgotten with the next scan, what stays is not [U6] [U10]', async (t) => {
  const bus = await fileBus(t);
  bus.insert('1-1', keyboard);
  bus.insert('1-2', stick);
  const forgotten: string[] = [];
  const { watch } = await watchBus(t, bus, {
    gatekeeper: { ...gatekeeper(), forget: (port) => forgotten.push(port) },
  });
  bus.withdraw('1-2');
  await watch.rescan();
  assert.deepEqual(forgotten, ['1-2']);
  bus.insert('1-2', stick);
  await watch.rescan();
  assert.equal(authorized(bus, '1-2'), '0', 'it came again, and is judged anew');
  assert.deepEqual(forgotten, ['1-2']);
});
