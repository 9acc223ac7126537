import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { feedWatchdog } from '../../src/supervisor/feed-watchdog.ts';
import { recordingLog } from '../support/recording-log.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';

test('the watchdog is fed while the bus is watched and not otherwise, and never disarmed [I4]', async (t) => {
  const device = path.join(await tempDir(t), 'watchdog0');
  let alive: true | string = 'usb-monitor: has not reported yet';
  const health: string[] = [];
  const fed = () => readFileSync(device, 'latin1');
  writeFileSync(device, '');
  const feeder = feedWatchdog({
    device,
    periodMs: 5,
    isAlive: () => alive,
    report: (state, why) => void health.push(`${state} ${why}`),
    log: recordingLog(),
  });
  t.after(() => feeder.stop());
  await until('it has looked several times', () => health.length > 3);
  assert.equal(fed(), '');
  assert.equal(health.at(-1), 'down not fed, because usb-monitor: has not reported yet');
  alive = true;
  await until('it is fed', () => fed().length > 2);
  assert.equal(health.at(-1), `ok ${device} is fed every 0.005 s`);
  alive = 'usb-monitor: udevadm has ended';
  const [before, looked] = [fed().length, health.length];
  await until('it has looked several times more', () => health.length > looked + 3);
  assert.equal(fed().length, before);
  feeder.stop();
  assert.doesNotMatch(fed(), /V/);
});

test('a device that is missing or busy is said, and tried again [I4]', async (t) => {
  const device = path.join(await tempDir(t), 'none/watchdog0');
  const health: string[] = [];
  const log = recordingLog();
  const feeder = feedWatchdog({
    device,
    periodMs: 5,
    isAlive: () => true,
    report: (state, why) => void health.push(`${state} ${why}`),
    log,
  });
  t.after(() => feeder.stop());
  await until('three attempts', () => health.length >= 3);
  assert.match(health.at(-1) ?? '', /^down .*watchdog0 cannot be fed: ENOENT/);
});
