// The LED of a real daemon while a bundle is installed or rolled back: files in place of /sys/class/leds, one of them a pipe, so that every pattern
// that was ever asked for is seen, however short it was shown.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { constants, openSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { Socket } from 'node:net';
import path from 'node:path';
import test from 'node:test';
import { ledStates } from '../../src/status/leds/led-states.ts';
import { controlClient } from '../plugins/control-client.ts';
import { seer, signedPlugin, writeTrust } from '../plugins/test-plugins.ts';
import { startDaemon } from '../support/daemon.ts';
import { startRedis } from '../support/redis.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import { usbBus } from '../support/usb-bus.ts';

const LIMIT_MS = 60_000;
/** How long each is dark: no two of these are alike. */
const settingUp = String(ledStates['setting-up'].offMs);
const updating = String(ledStates.updating.offMs);

test('the LED says updating while a bundle is installed or rolled back, and then what it said before [S2]', async (t) => {
  const dir = await tempDir(t);
  const led = path.join(dir, 'leds/green:status');
  await mkdir(led, { recursive: true });
  for (const [attribute, text] of [
    ['brightness', '0'],
    ['max_brightness', '1'],
    ['trigger', '[none] timer'],
    ['delay_on', '0'],
  ] as const)
    await writeFile(path.join(led, attribute), text);
  const pipe = path.join(led, 'delay_off');
  execFileSync('mkfifo', [pipe]);
  // Also for writing, so that it has no end when the daemon closes it after each pattern.
  const patterns = new Socket({
    fd: openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK),
    writable: false,
  });
  t.after(() => patterns.destroy());
  let asked = '';
  patterns.setEncoding('utf8').on('data', (text: string) => {
    asked += text;
  });
  const ends = (...shown: readonly string[]) =>
    until(`the LED showed ${shown.join(', ')}`, () => asked.endsWith(shown.join('')), LIMIT_MS);

  const redis = await startRedis(t);
  const bus = usbBus(t, dir);
  await writeTrust(path.join(dir, 'state'));
  const { url } = await startDaemon(t, {
    ...{ redisSocket: redis.socket, dir, args: ['--insecure-plugins'] },
    config: {
      usb: { sysfsRoot: bus.sysfsRoot, monitorCommand: bus.monitorCommand },
      leds: { root: path.join(dir, 'leds') },
    },
  });
  const told = async () =>
    ((await (await fetch(`${url}/api/v1/state`)).json()) as { readonly led: { readonly state: string } }).led
      .state;
  await ends(settingUp);
  assert.equal(await told(), 'setting-up');

  const control = controlClient(path.join(dir, 'control.sock'));
  for (const version of ['1.0.0', '1.1.0', 'back']) {
    asked = '';
    const { status, body } =
      version === 'back'
        ? await control.ask('POST', '/api/v1/plugins/probe/rollback')
        : await control.install(await signedPlugin({ code: seer, version }));
    assert.equal(status, 200, JSON.stringify(body));
    await ends(updating, settingUp);
    assert.equal(await told(), 'setting-up');
  }
});
