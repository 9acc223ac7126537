import assert from 'node:assert/strict';
import test from 'node:test';
import type { UsbDevice } from '../../src/contracts/usb-device.ts';
import { createDeviceFeed } from '../../src/status/device-feed.ts';
import { until } from '../support/until.ts';
import { openSse, type SseClient } from './sse-client.ts';
import { startFixture, untilStalled } from './status-fixture.ts';

const device = (port: string): UsbDevice => ({
  ...{ port, bus: 1, address: 2, identity: null, hasSerial: false, configurations: 1 },
  ...{ interfaces: [], problems: [] },
});
const lists = ({ messages }: SseClient): readonly (readonly string[])[] =>
  messages
    .filter(({ event }) => event === 'stream.devices')
    .map(({ data }) =>
      (JSON.parse(data ?? '') as { readonly devices: readonly UsbDevice[] }).devices.map(({ port }) => port),
    );

test('who asks for devices gets the list at once and after a change, the same as from the API, whatever the store does [S1] [S7]', async (t) => {
  const devices = [device('1-1')];
  const { server, buffer } = await startFixture(t, { devices: () => devices });
  buffer.reads.failWith = new Error('Redis is away');
  const client = await openSse(t, server.port, { query: '?devices' });
  await until('the list as it is', () => lists(client).length === 1);
  devices.push(device('1-2'));
  server.devicesChanged();
  await until('the list as it is now', () => lists(client).length === 2);
  assert.deepEqual(lists(client), [['1-1'], ['1-1', '1-2']]);
  const asked = (await (await fetch(`${server.url}/api/v1/devices`)).json()) as Record<string, unknown>;
  const pushed = JSON.parse(client.messages.findLast(({ event }) => event === 'stream.devices')?.data ?? '');
  assert.deepEqual(Object.keys(pushed), Object.keys(asked));
  assert.deepEqual(pushed.devices, asked.devices);
});

test('a listener that did not ask for devices gets none [S3]', async (t) => {
  const { server, buffer } = await startFixture(t);
  const client = await openSse(t, server.port);
  server.devicesChanged();
  buffer.append(1);
  await client.received(1);
  assert.deepEqual(lists(client), []);
});

test('a listener whose socket was full when the list changed gets it as soon as there is room, without another change [S1] [S3]', async (t) => {
  const devices = [device('1-1')];
  const { server, buffer } = await startFixture(t, { devices: () => devices });
  const count = 4_000;
  buffer.append(count, { padding: 4_000 });
  const slow = await openSse(t, server.port, { query: '?devices&lastEventId=1-0', paused: true });
  await untilStalled(server.port, buffer);
  devices.push(device('1-2'));
  server.devicesChanged();
  let received = '';
  slow.response.on('data', (chunk: string) => {
    received += chunk;
  });
  await until('all events', () => received.includes(`id: 1-${count}\n`));
  const at = received.search(/event: stream\.devices\ndata: .*"port":"1-2"/);
  assert.ok(at !== -1, 'no list with the second device came');
  assert.ok(at < received.indexOf(`id: 1-${count - 50}\n`), 'the list came behind all that was waiting');
  assert.equal(received.split('event: stream.devices').length - 1, 2);
});

test('a port that flaps costs a few lists, and the last one is the newest [U3] [S1]', async (t) => {
  let devices: readonly UsbDevice[] = [];
  const { server } = await startFixture(t, { devices: () => devices });
  const client = await openSse(t, server.port, { query: '?devices' });
  for (let turn = 1; turn <= 1_000; turn += 1) {
    devices = [device(`1-${turn}`)];
    server.devicesChanged();
  }
  await until('the newest list', () => lists(client).at(-1)?.[0] === '1-1000');
  assert.ok(lists(client).length <= 3, `${lists(client).length} lists for 1,000 changes`);
});

test('some plugs in a row are pushed 40 ms after each other at most; changes without end ten times a second [U3] [S1]', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let nowMs = 0;
  const pushedMs: number[] = [];
  const feed = createDeviceFeed({
    document: () => ({}),
    push: () => void pushedMs.push(nowMs),
    nowMs: () => nowMs,
  });
  const pass = (ms: number, each: (atMs: number) => void) => {
    for (let passed = 0; passed < ms; passed += 1) {
      each(passed);
      nowMs += 1;
      t.mock.timers.tick(1);
    }
  };
  // Six plugs within two seconds, each with an added, a changed and a ready.
  const late: number[] = [];
  let changedMs: number | null = null;
  pass(2_000, (atMs) => {
    if ([0, 20, 60].includes(atMs % 330)) {
      changedMs ??= nowMs;
      feed.changed();
    }
    if (changedMs !== null && (pushedMs.at(-1) ?? -1) >= changedMs) {
      late.push((pushedMs.at(-1) ?? 0) - changedMs);
      changedMs = null;
    }
  });
  assert.ok(Math.max(...late) <= 40, `a push came ${Math.max(...late)} ms after its change`);
  assert.ok(late.length >= 12, `${late.length} pushes`);
  pass(20_000, () => feed.changed());
  const before = pushedMs.length;
  pass(20_000, () => feed.changed());
  assert.equal(pushedMs.length - before, 200);
  feed.stop();
});

test('a push that is much work does not hold back the next one; pushes without end take a fiftieth of the time [U3] [S1]', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const WORK_MS = 8;
  let nowMs = 0;
  const pushedMs: number[] = [];
  const feed = createDeviceFeed({
    document: () => ({}),
    push() {
      pushedMs.push(nowMs);
      nowMs += WORK_MS;
    },
    nowMs: () => nowMs,
  });
  const pass = (ms: number, each: () => void) => {
    const endMs = nowMs + ms;
    while (nowMs < endMs) {
      each();
      nowMs += 1;
      t.mock.timers.tick(1);
    }
  };
  // On its way, read, judged.
  for (const untilMs of [200, 60, 500]) {
    feed.changed();
    pass(untilMs, () => undefined);
  }
  assert.equal(pushedMs.length, 3);
  assert.ok((pushedMs[2] ?? 0) - (pushedMs[1] ?? 0) < 80, `pushed at ${pushedMs.join(', ')} ms`);
  pass(60_000, () => feed.changed());
  const before = pushedMs.length;
  pass(60_000, () => feed.changed());
  const share = ((pushedMs.length - before) * WORK_MS) / 60_000;
  assert.ok(share > 0.015 && share < 0.021, `${(100 * share).toFixed(2)} % of the time`);
  feed.stop();
});
