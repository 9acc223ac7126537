import assert from 'node:assert/strict';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import type { HealthReport } from '../../../src/contracts/health.ts';
import { startLeds } from '../../../src/status/leds/start-leds.ts';
import { recordingLog } from '../../support/recording-log.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { until } from '../../support/until.ts';

const health = (state: HealthReport['state']): HealthReport => ({ state, simulated: false, parts: {} });

/** A folder as the kernel makes one; in it a write does nothing but store. */
async function addLed(root: string, name: string, triggers: string): Promise<string> {
  const dir = path.join(root, name);
  await mkdir(dir, { recursive: true });
  for (const [attribute, text] of Object.entries({
    brightness: '0',
    max_brightness: '255',
    trigger: triggers,
  }))
    await writeFile(path.join(dir, attribute), `${text}\n`);
  return dir;
}

async function ledsOver(t: TestContext, root: string, names: readonly string[] = []) {
  const said: string[] = [];
  const now = { health: health('ok') };
  const leds = startLeds({
    config: { root, names },
    circumstances: () => ({ ...now, activity: null, brokerConfigured: true }),
    report: (state, why) => void said.push(`${state}: ${why}`),
    log: recordingLog(),
  });
  t.after(() => leds.stop());
  return { leds, now, said };
}

const read = async (dir: string, attribute: string) =>
  (await readFile(path.join(dir, attribute), 'utf8')).trim();

test('a status LED shines when all is well and blinks by the kernel timer at a fault [S2]', async (t) => {
  const root = await tempDir(t);
  const dir = await addLed(root, 'green:status', '[none] timer heartbeat');
  const lock = await addLed(root, 'input3::capslock', '[none] timer');
  const { leds, now, said } = await ledsOver(t, root);
  await until('it shines', async () => (await read(dir, 'brightness')) === '255');
  assert.equal(await read(dir, 'trigger'), 'none');

  await addLed(root, 'green:status', '[none] timer heartbeat');
  now.health = health('down');
  leds.look();
  await until(
    'the timer is told its delays',
    async () => (await read(dir, 'delay_off').catch(() => '')) === '200',
  );
  assert.equal(await read(dir, 'trigger'), 'timer');
  assert.equal(await read(dir, 'delay_on'), '200');
  assert.equal(leds.state(), 'fault');
  assert.equal(await read(lock, 'brightness'), '0', 'the caps lock LED is not ours');
  assert.equal(said.at(-1), 'ok: 1 LED shows the state');
});

test('a LED without the timer trigger is blinked by the process, and left alone once it is gone [S2]', async (t) => {
  const root = await tempDir(t);
  const dir = await addLed(root, 'box-front', '[none]');
  const { leds, now, said } = await ledsOver(t, root, ['box-front']);
  now.health = health('down');
  leds.look();
  for (const wanted of ['255', '0', '255'])
    await until(`brightness ${wanted}`, async () => (await read(dir, 'brightness')) === wanted);
  // At once, as a pulled plug does it: a folder that is emptied file by file is written to meanwhile.
  await rename(dir, path.join(await tempDir(t), 'pulled'));
  leds.look();
  await until('it is missed', () => said.at(-1)?.startsWith('degraded: none of the LEDs of leds.names'));
});

test('no LED at all is nothing wrong, one that cannot be written is said [S2]', async (t) => {
  const root = await tempDir(t);
  const { leds, said } = await ledsOver(t, path.join(root, 'missing'));
  await until('it is said', () => said.at(-1)?.startsWith('ok: this machine has no status LED'));
  assert.equal(leds.state(), 'good');

  await mkdir(path.join(root, 'ACT'));
  const broken = await ledsOver(t, root);
  await until('it is said', () =>
    /degraded: an LED cannot be written .*ACT.*ENOENT/.test(broken.said.at(-1) ?? ''),
  );
});
