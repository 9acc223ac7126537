// The gate against a sysfs tree of files: what is written, in which order, and what a change of device or policy leads to. That the
// kernel then binds or unbinds drivers is shown in the guest (test/image/usb-policy.test.ts).
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import type { UnjudgedDevice, UsbVerdict } from '../../src/contracts/usb-policy.ts';
import { createAuthorizationGate } from '../../src/usb/authorization-gate.ts';
import { createStringReader } from '../../src/usb/string-reader.ts';
import { mockHost, writeSysfs } from '../policy/mock-host.ts';
import { openForReader } from '../support/open-for-reader.ts';
import { recordingLog } from '../support/recording-log.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import type { Cleanup } from '../support/with-cleanup.ts';

type Decide = (device: UnjudgedDevice) => UsbVerdict | null;

const verdict = (target: UsbVerdict['target'], enforced = true): UsbVerdict => ({
  target,
  by: 'rule',
  reason: 'a test',
  enforced,
});

async function bench(t: Cleanup, decide: Decide) {
  const sysfsRoot = path.join(await tempDir(t), 'sys');
  writeSysfs(sysfsRoot, mockHost());
  const asked: string[] = [];
  const forgotten: string[] = [];
  const judged: string[] = [];
  const passed: string[] = [];
  const health: string[] = [];
  const delays: number[] = [];
  const log = recordingLog();
  let generation = 0;
  let answer = decide;
  const folderOf = (port: string) => path.join(sysfsRoot, 'bus/usb/devices', port);
  const gate = createAuthorizationGate({
    gatekeeper: {
      judge(device) {
        asked.push(device.port);
        return answer(device);
      },
      forget: (port) => forgotten.push(port),
      generation: () => generation,
    },
    uptimeMs: () => 1_250,
    onFirstWritten: (afterMs) => delays.push(afterMs),
    sysfsRoot,
    folderOf,
    readStrings: createStringReader(),
    log,
    report: (state, why) => health.push(`${state} ${why}`),
    onJudged: (port) => judged.push(port),
    onPassed: (port) => passed.push(port),
  });
  t.after(() => gate.stop());
  return {
    gate,
    log,
    asked,
    forgotten,
    judged,
    passed,
    health,
    delays,
    folderOf,
    attribute: (port: string, name: string) => readFileSync(path.join(folderOf(port), name), 'latin1').trim(),
    set: (port: string, name: string, value: string) =>
      writeFileSync(path.join(folderOf(port), name), `${value}\n`),
    changePolicy(next: Decide) {
      answer = next;
      generation++;
    },
  };
}

test('an allowed device is authorized, a blocked one is not, a rejected one is removed [U6]', async (t) => {
  const targets: Readonly<Record<string, UsbVerdict['target']>> = {
    '1-1': 'allow',
    '1-2': 'block',
    '1-3': 'reject',
  };
  const { gate, attribute, set, judged } = await bench(t, ({ port }) => verdict(targets[port] ?? 'allow'));
  for (const port of ['1-1', '1-3']) set(port, 'authorized', '0');
  for (const port of ['1-1', '1-2', '1-3']) gate.enter(port);
  await gate.settled();
  assert.equal(attribute('1-1', 'authorized'), '1');
  assert.equal(attribute('1-2', 'authorized'), '0', 'it was authorized before');
  assert.equal(attribute('1-3', 'remove'), '1');
  assert.deepEqual(judged, ['usb1', '1-1', '1-2', '1-3']);
  assert.equal(gate.verdictOf('1-2', 3)?.target, 'block');
});

test('parents are asked about before their children, each once [U6]', async (t) => {
  const { gate, asked } = await bench(t, () => verdict('allow'));
  gate.enter('1-6.2');
  gate.enter('2-4');
  await gate.settled();
  assert.deepEqual(asked, ['usb1', '1-6', '1-6.2', 'usb2', '2-4']);
});

test('what is only reported works all the same, and hands-off means that nothing is written [U6]', async (t) => {
  const { gate, attribute, set } = await bench(t, ({ port }) =>
    port === '1-2' ? null : verdict('block', false),
  );
  set('1-1', 'authorized', '0');
  set('1-2', 'authorized', '0');
  gate.enter('1-1');
  gate.enter('1-2');
  await gate.settled();
  assert.equal(attribute('1-1', 'authorized'), '1');
  assert.equal(attribute('1-2', 'authorized'), '0');
});

test('a changed policy is carried out on devices that are plugged in, unchanged verdicts are not asked for [U6]', async (t) => {
  const { gate, asked, attribute, changePolicy } = await bench(t, () => verdict('allow'));
  gate.enter('1-1');
  await gate.settled();
  gate.recheck();
  gate.enter('1-1');
  await gate.settled();
  assert.deepEqual(asked, ['usb1', '1-1']);
  changePolicy(({ port }) => verdict(port === 'usb1' ? 'allow' : 'block'));
  gate.recheck();
  await gate.settled();
  assert.deepEqual(asked, ['usb1', '1-1', 'usb1', '1-1']);
  assert.equal(attribute('1-1', 'authorized'), '0');
});

test('somebody else who authorizes a blocked device is overruled at the next look [U6]', async (t) => {
  const { gate, attribute, set } = await bench(t, ({ port }) => verdict(port === 'usb1' ? 'allow' : 'block'));
  gate.enter('1-1');
  await gate.settled();
  set('1-1', 'authorized', '1');
  gate.scanned(['1-1']);
  await gate.settled();
  assert.equal(attribute('1-1', 'authorized'), '0');
});

test('the device that takes the port during the decision gets nothing of its predecessor [U6]', async (t) => {
  const nothing = () => undefined;
  let swap: () => void = nothing;
  const { gate, folderOf, attribute } = await bench(t, ({ port }) => {
    if (port === '1-1') swap();
    return verdict('allow');
  });
  const folder = folderOf('1-1');
  const real = path.join(folderOf('usb1'), '1-1');
  writeFileSync(path.join(folder, 'authorized'), '0\n');
  swap = () => {
    swap = nothing;
    // Another device at the same path: the old folder is gone from it, as in the kernel.
    renameSync(real, `${real}.gone`);
    rmSync(path.join(`${real}.gone`, 'authorized'));
    renameSync(path.join(folderOf('usb1'), '1-2'), real);
    writeFileSync(path.join(real, 'authorized'), '0\n');
  };
  gate.enter('1-1');
  await gate.settled();
  assert.equal(attribute('1-1', 'authorized'), '0');
});

test('before udev has run a device is judged, its parents too, and nothing is written [U6]', async (t) => {
  const { gate, delays, asked, attribute, set, judged, passed } = await bench(t, () => verdict('allow'));
  set('1-6', 'authorized', '0');
  set('1-6.2', 'authorized', '0');
  gate.enter('1-6.2', { isEarly: true, recordUptimeMs: 1_000 });
  await gate.settled();
  assert.deepEqual([attribute('1-6', 'authorized'), attribute('1-6.2', 'authorized')], ['0', '0']);
  assert.deepEqual([judged, passed], [['usb1', '1-6', '1-6.2'], []]);
  gate.enter('1-6', { isEarly: true });
  gate.enter('1-6');
  gate.enter('1-6', { isEarly: true });
  gate.enter('1-6.2');
  await gate.settled();
  assert.deepEqual([attribute('1-6', 'authorized'), attribute('1-6.2', 'authorized')], ['1', '1']);
  assert.deepEqual(asked, ['usb1', '1-6', '1-6.2'], 'judged once');
  assert.deepEqual(delays, [250]);
});

test('a device that came again at another address is judged again [U6]', async (t) => {
  const { gate, asked, set } = await bench(t, () => verdict('allow'));
  gate.enter('1-1');
  await gate.settled();
  set('1-1', 'devnum', '77');
  gate.enter('1-1');
  await gate.settled();
  assert.deepEqual(asked, ['usb1', '1-1', '1-1']);
  gate.left('1-1');
  assert.equal(gate.verdictOf('1-1', 77), undefined);
});

test('another device with the same address at the same port is judged itself [U6]', async (t) => {
  const { gate, asked, attribute, folderOf, forgotten } = await bench(t, ({ descriptors }) =>
    verdict(descriptors?.[10] === 1 ? 'allow' : 'block'),
  );
  gate.enter('1-1');
  await gate.settled();
  assert.equal(attribute('1-1', 'authorized'), '1');
  const real = path.join(folderOf('usb1'), '1-1');
  const address = attribute('1-1', 'devnum');
  renameSync(real, `${real}.gone`);
  renameSync(path.join(folderOf('usb1'), '1-2'), real);
  assert.equal(attribute('1-1', 'devnum'), address, 'the kernel has counted once round');
  gate.enter('1-1');
  await gate.settled();
  assert.deepEqual(asked, ['usb1', '1-1', '1-1']);
  assert.deepEqual(forgotten, ['1-1'], 'what was known of the one before counts no more');
});

test('what left while its strings were read is not judged [U6]', async (t) => {
  const { gate, asked, folderOf } = await bench(t, () => verdict('allow'));
  const real = path.join(folderOf('usb1'), '1-1');
  rmSync(path.join(real, 'product'));
  execFileSync('mkfifo', [path.join(real, 'product')]);
  gate.enter('1-1');
  const writer = await until('its name is being read', () => openForReader(path.join(real, 'product')));
  for (const name of ['devnum', 'serial', 'product']) rmSync(path.join(real, name), { force: true });
  renameSync(real, `${real}.gone`);
  gate.left('1-1');
  closeSync(writer);
  await gate.settled();
  assert.deepEqual(asked, ['usb1']);
  assert.equal(gate.verdictOf('1-1', 3), undefined);
});

test('what the kernel does not do is said with the remedy, and the gate goes on [U6]', async (t) => {
  const { gate, folderOf, health, passed } = await bench(t, ({ port }) =>
    verdict(port === 'usb1' ? 'allow' : 'reject'),
  );
  // Permissions mean nothing to root; that a folder cannot be written holds for everybody.
  rmSync(path.join(folderOf('1-1'), 'remove'));
  mkdirSync(path.join(folderOf('1-1'), 'remove'));
  gate.enter('1-1');
  gate.enter('1-2');
  await gate.settled();
  assert.deepEqual(passed, ['1-1', '1-2']);
  assert.match(
    health.at(-1) ?? '',
    /^degraded .*refuses 1 decisions \(1-1: failed EISDIR\); install udev\/91-autoweave/,
  );
});
