// The kernel's log as bytes, lines and a stream that a real child reads -> what goes on at the ports.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { UsbPortState } from '../../src/contracts/usb-port-state.ts';
import { schemaCheck } from '../../src/lib/schema-check.ts';
import { createKernelLogParser, type KernelRecord } from '../../src/usb/kernel-log/parse-kernel-log.ts';
import { portSign } from '../../src/usb/kernel-log/port-sign.ts';
import { createPortStates, type PortFailure } from '../../src/usb/kernel-log/port-states.ts';
import { startPortWatch, type ToldPortFailure } from '../../src/usb/kernel-log/start-port-watch.ts';
import { recordingLog } from '../support/recording-log.ts';
import { recordingMetrics } from '../support/recording-metrics.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import { runningClock } from './file-bus.ts';

const check = schemaCheck(UsbPortState);

function records(...chunks: readonly (string | Buffer)[]): readonly KernelRecord[] {
  const all: KernelRecord[] = [];
  const parser = createKernelLogParser((record) => void all.push(record));
  for (const chunk of chunks) parser.push(Buffer.from(chunk));
  return all;
}

test('records are read whole however the bytes arrive, without the lines that belong to them [U1]', () => {
  const stream =
    '6,339,5140900,-;usb 1-2: new full-speed USB device number 5 using xhci_hcd\n SUBSYSTEM=usb\n DEVICE=c189:4\n' +
    '4,340,5150900,c;usb 1-2: Product: a\\x0a6,999,1,-;usb 1-9: USB disconnect, device number 1\n';
  const expected = [
    { sequence: 339, uptimeMs: 5140.9, text: 'usb 1-2: new full-speed USB device number 5 using xhci_hcd' },
    {
      sequence: 340,
      uptimeMs: 5150.9,
      text: 'usb 1-2: Product: a\\x0a6,999,1,-;usb 1-9: USB disconnect, device number 1',
    },
  ];
  assert.deepEqual(records(stream), expected);
  assert.deepEqual(records(...[...stream]), expected);
});

test('what a program wrote into the log, a torn line and a line without end are no records [U1] [U7]', () => {
  const forged = '12,7,1,-;usb 1-2: new full-speed USB device number 5 using xhci_hcd\n';
  assert.deepEqual(records(forged, 'nonsense\n', '6,x,1,-;usb\n', '6,8,1,-\n'), []);
  const endless = Array.from({ length: 64 }, () => Buffer.alloc(65_536, 'A'));
  assert.deepEqual(
    records('6,1,1,-;', ...endless, '\n6,2,1,-;next\n').map(({ sequence }) => sequence),
    [2],
  );
});

const lines: readonly (readonly [string, object | null])[] = [
  [
    'usb 1-1.4: new low-speed USB device number 12 using xhci_hcd',
    { kind: 'enumerating', port: '1-1.4', speedMbps: 1.5 },
  ],
  [
    'usb 2-4: new SuperSpeed Plus Gen 2x1 USB device number 3 using xhci_hcd',
    { kind: 'enumerating', port: '2-4', speedMbps: 10_000 },
  ],
  [
    'usb 1-2: New USB device found, idVendor=0627, idProduct=0001, bcdDevice= 0.00',
    { kind: 'found', port: '1-2', vendorId: '0627', productId: '0001' },
  ],
  [
    'usb 1-2: Product: Caf\\xc3\\xa9\\x0aS\\x5cX',
    { kind: 'named', port: '1-2', what: 'product', text: 'Café\ufffdS\\X' },
  ],
  // What a device calls itself stays a name, whatever it says.
  [
    'usb 1-2: Manufacturer: usb usb1-port2: over-current condition',
    {
      kind: 'named',
      port: '1-2',
      what: 'manufacturer',
      text: 'usb usb1-port2: over-current condition',
    },
  ],
  ['usb 1-2: USB disconnect, device number 5', { kind: 'gone', port: '1-2' }],
  [
    'usb 1-2: device descriptor read/64, error -71',
    {
      kind: 'trouble',
      port: '1-2',
      code: 'usb.port-no-answer',
      why: 'device descriptor read/64, error -71',
    },
  ],
  [
    'usb usb1-port2: unable to enumerate USB device',
    { kind: 'failed', port: '1-2', code: null, why: 'unable to enumerate USB device' },
  ],
  [
    'usb 1-1-port4: over-current condition',
    { kind: 'failed', port: '1-1.4', code: 'usb.port-over-current', why: 'over-current condition' },
  ],
  [
    'usb 1-1.3: rejected 1 configuration due to insufficient available bus power',
    {
      kind: 'failed',
      port: '1-1.3',
      code: 'usb.port-too-little-power',
      why: 'rejected 1 configuration due to insufficient available bus power',
    },
  ],
  [
    'xhci_hcd 0000:00:14.0: HC died; cleaning up',
    { kind: 'controller', controller: '0000:00:14.0', isAlive: false },
  ],
  [
    'ehci-pci 0000:00:1d.0: new USB bus registered, assigned bus number 3',
    { kind: 'controller', controller: '0000:00:1d.0', isAlive: true },
  ],
  [
    'xhci_hcd 0000:3a:00.0: USB bus 4 deregistered',
    { kind: 'controller', controller: '0000:3a:00.0', isAlive: true },
  ],
  // A reset of a device that works, another part of the kernel, no port.
  ['usb 1-2: reset full-speed USB device number 5 using xhci_hcd', null],
  ['input: unable to enumerate USB device', null],
  ['usb usb1: New USB device found, idVendor=1d6b, idProduct=0002, bcdDevice= 6.12', null],
  ['usb 1-2.3.4.5.6.7.8.9: USB disconnect, device number 5', null],
];
for (const [line, sign] of lines)
  test(`"${line}" ${sign === null ? 'says nothing of a port' : 'is understood'} [U1]`, () => {
    assert.deepEqual(portSign(line), sign);
  });

function statesOf(...said: readonly (readonly [number, string])[]) {
  let nowMs = 0;
  const failures: PortFailure[] = [];
  let changes = 0;
  const states = createPortStates({
    uptimeMs: () => nowMs,
    onChange: () => {
      changes += 1;
    },
    onFailed: (failure) => void failures.push(failure),
  });
  for (const [atMs, line] of said) {
    nowMs = atMs;
    const sign = portSign(line);
    assert.ok(sign !== null && sign.kind !== 'controller', line);
    states.take(sign, { uptimeMs: atMs, sequence: atMs });
  }
  return { states, failures, changes: () => changes, pass: (ms: number) => (nowMs += ms) };
}

test('a device that never answers: connecting, then failed once, with the reason of the last try [U1]', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { failures, pass, states } = statesOf(
    [1_000, 'usb 1-2: new full-speed USB device number 5 using xhci_hcd'],
    [1_200, 'usb 1-2: device descriptor read/64, error -32'],
    [1_400, 'usb 1-2: device descriptor read/64, error -71'],
    [1_500, 'usb 1-2: new full-speed USB device number 6 using xhci_hcd'],
    [1_900, 'usb 1-2: device not accepting address 6, error -71'],
    [2_000, 'usb usb1-port2: unable to enumerate USB device'],
  );
  const failed = {
    port: '1-2',
    code: 'usb.port-no-answer',
    why: 'device not accepting address 6, error -71; unable to enumerate USB device',
    times: 1,
  };
  assert.deepEqual(failures, [{ ...failed, uptimeMs: 2_000, sequence: 2_000 }]);
  assert.deepEqual(states.now(), [{ state: 'failed', ...failed, sinceMs: 2_000 }]);
  pass(900_000);
  t.mock.timers.tick(900_001);
  assert.deepEqual(states.now(), []);
});

test('a device that is read leaves its port to the list of devices; one that is too hungry stays a failure [U1]', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const read = 'New USB device found, idVendor=0627, idProduct=0001, bcdDevice= 0.00';
  const { changes, pass, states } = statesOf(
    [1_000, 'usb 1-1: new full-speed USB device number 5 using xhci_hcd'],
    [1_010, 'usb 1-2: new full-speed USB device number 6 using xhci_hcd'],
    [1_300, `usb 1-1: ${read}`],
    [1_300, `usb 1-2: ${read}`],
    [1_302, 'usb 1-2: Product: Heater'],
    [1_310, 'usb 1-2: rejected 1 configuration due to insufficient available bus power'],
  );
  const shown = () => states.now().map(({ port, state }) => `${port} ${state}`);
  assert.deepEqual(shown(), ['1-1 enumerating', '1-2 failed']);
  const [, hungry] = states.now();
  assert.deepEqual([hungry?.vendorId, hungry?.product], ['0627', 'Heater']);
  const before = changes();
  pass(2_000);
  t.mock.timers.tick(2_001);
  assert.deepEqual(shown(), ['1-2 failed']);
  assert.equal(changes(), before + 1);
});

test('a cable that is suspected four times is one failure, with that reason [U1]', () => {
  const cable = (atMs: number) =>
    [atMs, 'usb usb2-port4: Cannot enable. Maybe the USB cable is bad?'] as const;
  const { failures, states } = statesOf(...[cable(10), cable(20), cable(30), cable(40)], [
    50,
    'usb usb2-port4: unable to enumerate USB device',
  ]);
  states.stop();
  assert.deepEqual(
    failures.map(({ port, code, times }) => ({ port, code, times })),
    [{ port: '2-4', code: 'usb.port-cable', times: 1 }],
  );
});

test('what failed below a hub, or on a controller, goes with it [U1] [S1]', () => {
  const fail = (place: string) => [10, `usb ${place}: over-current condition`] as const;
  const { states } = statesOf(
    ...[fail('1-1-port4'), fail('1-1.2-port1'), fail('usb1-port10'), fail('usb3-port1')],
    [20, 'usb 1-1: USB disconnect, device number 5'],
  );
  const shown = () => states.now().map(({ port }) => port);
  assert.deepEqual(shown(), ['1-10', '3-1']);
  const sign = portSign('usb usb3: USB disconnect, device number 1');
  assert.ok(sign?.kind === 'gone');
  states.take(sign, { uptimeMs: 30, sequence: 30 });
  states.stop();
  assert.deepEqual(shown(), ['1-10']);
});

test('a device that is pulled out before it is set up is no failure; one that stays and refuses is [U1]', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const refuses = "can't set config #1, error -71";
  const { failures, states } = statesOf(
    [10, 'usb 1-1: new high-speed USB device number 5 using dummy_hcd'],
    [20, `usb 1-1: ${refuses}`],
    [25, 'usb 1-1: USB disconnect, device number 5'],
    [30, 'usb 1-2: new high-speed USB device number 6 using dummy_hcd'],
    [40, `usb 1-2: ${refuses}`],
  );
  assert.deepEqual(failures, []);
  t.mock.timers.tick(1_000);
  states.stop();
  assert.deepEqual(failures, [
    { port: '1-2', code: 'usb.port-not-configured', why: refuses, times: 1, uptimeMs: 40, sequence: 40 },
  ]);
});

test('trouble with a device that works is no failure; failures in a row are counted until a device is read [U1]', () => {
  const enumerate = (atMs: number) =>
    [atMs, 'usb 1-2: new full-speed USB device number 5 using xhci_hcd'] as const;
  const fail = (atMs: number) => [atMs, 'usb usb1-port2: unable to enumerate USB device'] as const;
  const { failures, states } = statesOf(
    [10, 'usb 1-9: device descriptor read/64, error -71'],
    ...[enumerate(20), fail(30), enumerate(40), fail(50), enumerate(60)],
    [70, 'usb 1-2: New USB device found, idVendor=0627, idProduct=0001, bcdDevice= 0.00'],
    ...[enumerate(80), fail(90)],
  );
  states.stop();
  assert.deepEqual(
    failures.map(({ times }) => times),
    [1, 2, 1],
  );
});

async function watched(t: TestContext) {
  const file = path.join(await tempDir(t), 'kmsg');
  execFileSync('mkfifo', [file]);
  const fd = openSync(file, constants.O_RDWR);
  t.after(() => closeSync(fd));
  const clock = runningClock();
  const metrics = recordingMetrics();
  const health: string[] = [];
  const failures: ToldPortFailure[] = [];
  const watch = startPortWatch({
    ...{ source: file, clock, metrics: metrics.usb, log: recordingLog(), onChange: () => undefined },
    report: (state, why) => void health.push(`${state}: ${why}`),
    onFailed: (failure) => void failures.push(failure),
  });
  t.after(() => watch.stop());
  let sequence = 0;
  const say = (text: string) => {
    sequence += 1;
    writeSync(fd, `6,${sequence},${Math.round(clock.uptimeMs() * 1_000)},-;${text}\n SUBSYSTEM=usb\n`);
  };
  return { watch, health, failures, metrics, say, fd };
}

test('live: a plug shows before its device, a failure with what helps and in the health, a dead controller as down [U1] [S1]', async (t) => {
  const { failures, health, metrics, say, watch } = await watched(t);
  const states = () => watch.ports().map(({ port, state }) => `${port} ${state}`);
  say('usb 1-2: new full-speed USB device number 5 using xhci_hcd');
  await until('the plug', () => states().join() === '1-2 enumerating');
  say('usb usb1-port2: unable to enumerate USB device');
  await until('the failure', () => states().join() === '1-2 failed');
  const [failed] = watch.ports();
  assert.ok(check(failed).ok, JSON.stringify(check(failed)));
  assert.match(failed?.remedy ?? '', /another cable/);
  assert.match(
    health.at(-1) ?? '',
    /^degraded: what is plugged in at 1-2 does not work \(usb\.port-no-answer/,
  );
  assert.deepEqual(
    failures.map(({ port, sequence, times }) => ({ port, sequence, times })),
    [{ port: '1-2', sequence: 2, times: 1 }],
  );
  assert.equal(metrics.total('usb.portFailures', { code: 'usb.port-no-answer' }), 1);
  say('usb 1-2: new full-speed USB device number 6 using xhci_hcd');
  await until('the next try', () => health.at(-1)?.startsWith('ok') === true);
  say('xhci_hcd 0000:00:14.0: HC died; cleaning up');
  await until('the end of the controller', () => health.at(-1)?.startsWith('down') === true);
  assert.match(health.at(-1) ?? '', /0000:00:14\.0 has died.*restart the machine/);
  say('xhci_hcd 0000:00:14.0: new USB bus registered, assigned bus number 1');
  await until('its return', () => health.at(-1)?.startsWith('ok') === true);
});

test('without the log the appliance is whole, and says what is not told [U1]', () => {
  const health: string[] = [];
  const watch = startPortWatch({
    source: '/nonexistent/kmsg',
    ...{ clock: runningClock(), metrics: recordingMetrics().usb, log: recordingLog() },
    report: (state, why) => void health.push(`${state}: ${why}`),
    onChange: () => undefined,
    onFailed: () => undefined,
  });
  assert.deepEqual(watch.ports(), []);
  assert.match(health.join(), /^ok: off: the kernel's log may not be read here \(.*ENOENT/);
});
