// What the page makes of the appliance's answers, without a browser.
import assert from 'node:assert/strict';
import test from 'node:test';
import type { Device, StateAnswer } from '../../../src/status/page/model/answers.ts';
import {
  deviceKind,
  deviceName,
  type PortNode,
  toBuses,
} from '../../../src/status/page/model/device-tree.ts';
import { toHeadline } from '../../../src/status/page/model/headline.ts';
import { toRoute } from '../../../src/status/page/model/route.ts';
import { addPluginSample, newPluginSamples, Samples } from '../../../src/status/page/model/samples.ts';
import { throttle } from '../../../src/status/page/model/throttle.ts';
import {
  ago,
  bytes,
  count,
  duration,
  instant,
  secondsBetween,
} from '../../../src/status/page/model/units.ts';

const device = (port: string, more: Partial<Device> = {}): Device => ({
  port,
  bus: 1,
  address: 2,
  identity: null,
  hasSerial: false,
  configurations: 1,
  interfaces: [],
  problems: [],
  ...more,
});

/** `1-1(1 4(2))`: sockets, in the order of the map. */
const outline = (nodes: readonly PortNode[]): string =>
  nodes
    .map(
      ({ socket, device: own, children }) =>
        `${socket}${own === null ? '?' : ''}${children.length === 0 ? '' : `(${outline(children)})`}`,
    )
    .join(' ');

test('devices hang on their hubs in the order of the sockets, and a hub that is not known still has its place [S1]', () => {
  const buses = toBuses(
    ['1-10', '1-2', '1-1.4', '1-1', '2-3.1.2', '1-1.1'].map((port) => device(port)),
    [],
  );
  assert.deepEqual(
    buses.map(({ number, ports, count: all }) => `${number}: ${outline(ports)} = ${all}`),
    ['1: 1(1 4) 2 10 = 5', '2: 3?(1?(2)) = 1'],
  );
  assert.deepEqual(toBuses([], []), []);
});

test('what is no device yet, or does not become one, has its place on the map and is not counted [S1]', () => {
  const at = '2026-11-21T10:00:00.000Z';
  const buses = toBuses(
    [device('1-1')],
    [
      { port: '1-1.3', state: 'enumerating', speedMbps: 12, at },
      { port: '2-4', state: 'failed', code: 'usb.port-no-answer', at },
    ],
  );
  assert.deepEqual(
    buses.map(({ number, ports, count: all }) => `${number}: ${outline(ports)} = ${all}`),
    ['1: 1(3?) = 1', '2: 4? = 0'],
  );
  assert.equal(buses[1]?.ports[0]?.state?.code, 'usb.port-no-answer');
});

test('a device is named once by its maker, and says what it is by its interfaces [S1]', () => {
  assert.equal(deviceName({ manufacturer: 'Logitech', product: 'Logitech Receiver' }), 'Logitech Receiver');
  assert.equal(deviceName({ vendorName: 'EPSON', product: 'TM-T20' }), 'EPSON TM-T20');
  assert.equal(deviceName({}), null);
  const face = (name: string) => ({
    configuration: 1,
    number: 0,
    alternate: 0,
    class: '03',
    subclass: '00',
    protocol: '00',
    endpoints: 1,
    name,
  });
  assert.equal(
    deviceKind(device('1-1', { interfaces: [face('Keyboard'), face('None'), face('Mouse')] })),
    'Keyboard, Mouse',
  );
  assert.equal(deviceKind(device('1-1')), null);
});

test('the headline is the LED state, and neither silence nor no answer is ever shown as good [S7]', () => {
  const state = {
    time: '2026-11-21T07:00:10.000Z',
    led: { state: 'good', reason: 'sent', since: '2026-11-21T07:00:00.000Z' },
    health: { state: 'ok', simulated: false, parts: {} },
  } as unknown as StateAnswer;
  const shown = toHeadline(state, { stale: false, silentSeconds: 3 });
  assert.deepEqual([shown.tone, shown.reason, shown.forSeconds], ['ok', 'sent', 13]);
  assert.equal(toHeadline(state, { stale: true, silentSeconds: 40 }).tone, 'unknown');
  assert.equal(toHeadline(state, { stale: true, silentSeconds: 40 }).forSeconds, 40);
  assert.equal(toHeadline(null, { stale: false, silentSeconds: 0 }).tone, 'unknown');
});

test('ages, sizes and counts are short, and say the day where it is not today [S7]', () => {
  assert.deepEqual([0, 99, 100, 5_940, 6_000, 11_520, 172_800, 277_200].map(duration), [
    '0 s',
    '99 s',
    '2 min',
    '99 min',
    '1 h 40 min',
    '3 h 12 min',
    '2 d',
    '3 d 5 h',
  ]);
  assert.deepEqual([ago(1), ago(30)], ['now', '30 s ago']);
  assert.deepEqual([0, 999, 1_500, 66_900_000, 141_300_000].map(bytes), [
    '0 B',
    '999 B',
    '1.5 KB',
    '66.9 MB',
    '141 MB',
  ]);
  assert.deepEqual([count(999), count(48_211), count(1_874_220)], ['999', '48,211', '1.87 M']);
  const now = new Date(2026, 10, 21, 12);
  assert.equal(instant(new Date(2026, 10, 21, 7, 5, 9).toISOString(), now), '07:05:09');
  assert.equal(instant(new Date(2026, 10, 20, 7, 5, 9).toISOString(), now), '20 Nov, 07:05');
  assert.equal(instant(new Date(2025, 0, 2, 7, 5).toISOString(), now), '2 Jan 2025, 07:05');
  assert.equal(instant('yesterday', now), 'unknown');
  assert.equal(secondsBetween(null, '2026-11-21T07:00:00Z'), null);
  assert.equal(secondsBetween('2026-11-21T06:59:00Z', '2026-11-21T07:00:00Z'), 60);
  assert.equal(secondsBetween('2026-11-21T07:01:00Z', '2026-11-21T07:00:00Z'), 0);
});

test('an address that names no view is the overview, and what is behind a view may be any name [S1]', () => {
  assert.deepEqual(toRoute(''), { view: 'overview', detail: null });
  assert.deepEqual(toRoute('#/nonsense/1'), { view: 'overview', detail: null });
  assert.deepEqual(toRoute('#/plugins/a%2Fb'), { view: 'plugins', detail: 'a/b' });
  assert.deepEqual(toRoute('#/plugins/%E0%A4%A'), { view: 'plugins', detail: '%E0%A4%A' });
});

test('CPU is the difference of two answers, and a plugin that began anew has none with its old process [S1]', () => {
  const samples = newPluginSamples();
  addPluginSample(samples, { memoryBytes: 1, cpuSeconds: 10 }, 0);
  addPluginSample(samples, { memoryBytes: 2, cpuSeconds: 10.5 }, 5_000);
  assert.equal(samples.cpu.last, 10);
  addPluginSample(samples, { memoryBytes: 2, cpuSeconds: 0.1 }, 10_000);
  assert.equal(samples.cpu.all.length, 1);
  addPluginSample(samples, { memoryBytes: null, cpuSeconds: null }, 15_000);
  assert.equal(samples.memory.all.length, 3);
  const few = new Samples(3);
  for (let n = 0; n < 10; n++) few.add(n, n);
  assert.deepEqual(
    few.all.map(({ value }) => value),
    [7, 8, 9],
  );
});

test('what is asked for a hundred times is read at once, once more afterwards, and never twice at a time [S1]', async () => {
  let running = 0;
  let most = 0;
  let runs = 0;
  const twice = Promise.withResolvers<void>();
  const soon = throttle(
    async () => {
      running += 1;
      most = Math.max(most, running);
      runs += 1;
      if (runs === 2) twice.resolve();
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
    },
    () => 1,
  );
  for (let n = 0; n < 100; n++) soon();
  assert.equal(runs, 1);
  await twice.promise;
  assert.deepEqual([runs, most], [2, 1]);
});
