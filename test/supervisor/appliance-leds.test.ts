import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import type { HealthReport } from '../../src/contracts/health.ts';
import type { PluginAct, PluginControl } from '../../src/contracts/plugin-status.ts';
import { startApplianceLeds } from '../../src/supervisor/appliance-leds.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { recordingLog } from '../support/recording-log.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';

const part = {
  state: 'ok',
  why: 'x',
  since: '2026-01-01T00:00:00.000Z',
  ageSeconds: 0,
  clock: 'synced',
} as const;
const good: HealthReport = { state: 'ok', simulated: false, parts: { 'usb-monitor': part, uplink: part } };
const installed: PluginAct = { ok: true, plugin: null, detail: 'installed' };

/** Every act ends when the test says so. */
function heldPlugins() {
  const acts: { readonly resolve: (act: PluginAct) => void; readonly reject: (cause: Error) => void }[] = [];
  const act = () => {
    const held = Promise.withResolvers<PluginAct>();
    acts.push(held);
    return held.promise;
  };
  const control: PluginControl = {
    ...{ list: async () => [], logs: () => null, install: act, rollback: act, remove: act },
    ...{ enable: act, disable: act, restart: act },
  };
  return { acts, control };
}

async function ledsOver(t: TestContext, health: () => HealthReport = () => good) {
  const root = await tempDir(t);
  const led = path.join(root, 'green:status');
  await mkdir(led);
  for (const [attribute, text] of Object.entries({
    brightness: '0',
    max_brightness: '1',
    trigger: '[none] timer',
  }))
    await writeFile(path.join(led, attribute), `${text}\n`);
  const { acts, control } = heldPlugins();
  const clock = fakeClock();
  const leds = startApplianceLeds({
    config: { leds: { root, names: [] }, uplink: { url: 'mqtt://broker' } },
    ...{ clock, plugins: control, health, report: () => undefined, log: recordingLog() },
  });
  t.after(() => leds.stop());
  const shows = (attribute: string, value: string) =>
    until(
      `${attribute} is ${value}`,
      async () => (await readFile(path.join(led, attribute), 'utf8').catch(() => '')).trim() === value,
    );
  return { acts, clock, led, leds, plugins: leds.plugins ?? assert.fail('there are plugins'), shows };
}

test('while a plugin is installed or rolled back the LED says that an update is written, and no longer [S2]', async (t) => {
  const { acts, led, leds, plugins, shows } = await ledsOver(t);
  await shows('brightness', '1');
  // The kernel's file goes on listing what can be chosen.
  await writeFile(path.join(led, 'trigger'), '[none] timer\n');
  const install = plugins.install(new Uint8Array(), '');
  const rollback = plugins.rollback('probe');
  assert.deepEqual(leds.now(), { state: 'updating', reason: 'a plugin is being written' });
  await shows('delay_on', '400');
  acts[0]?.resolve(installed);
  assert.equal(await install, installed);
  assert.equal(leds.now().state, 'updating', 'the other one goes on');
  acts[1]?.reject(new Error('the disk is full'));
  await assert.rejects(rollback, /the disk is full/);
  assert.deepEqual(leds.now(), { state: 'good', reason: 'health is ok' });
  await shows('trigger', 'none');
});

test('a restart of a plugin writes nothing, a fault and an identify come before an update [S2]', async (t) => {
  let health = good;
  const { acts, clock, leds, plugins } = await ledsOver(t, () => health);
  const restart = plugins.restart('probe');
  assert.equal(leds.now().state, 'good');
  acts[0]?.resolve(installed);
  await restart;
  const install = plugins.install(new Uint8Array(), '');
  health = { ...good, state: 'down' };
  assert.equal(leds.now().state, 'fault');
  leds.identify(5);
  assert.deepEqual(leds.now(), { state: 'identify', reason: 'somebody asked which box this is' });
  clock.advance(5_001);
  health = good;
  assert.equal(leds.now().state, 'updating');
  acts[1]?.resolve(installed);
  await install;
});
