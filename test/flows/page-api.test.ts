// The shipped file and its page: claimed with the code on its console, then used, also over a kill of the daemon.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import { run } from '../cli/run.ts';
import { apiClient, goodPassword } from '../status/api-client.ts';
import { startDaemon } from '../support/daemon.ts';
import { startRedis } from '../support/redis.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import { usbBus } from '../support/usb-bus.ts';

const scanner = { port: '1-2', vendorId: 0x05e0, productId: 0x1200, serial: 'S1', product: 'Scanner' };
const keyboard = { port: '1-1', vendorId: 0x046d, productId: 0xc31c, serial: 'K1', product: 'Keyboard' };

test('claimed with the code of its console, a device is blocked on the page, and the verdict shows and stays [S1, U6, I8]', async (t) => {
  const dir = await tempDir(t);
  const bus = usbBus(t, dir);
  const redis = await startRedis(t);
  const leds = path.join(dir, 'leds');
  await mkdir(path.join(leds, 'green:status'), { recursive: true });
  for (const [name, text] of [
    ['brightness', '0'],
    ['max_brightness', '1'],
    ['trigger', '[none]'],
  ] as const)
    await writeFile(path.join(leds, 'green:status', name), text);
  const rules = path.join(dir, 'rules.conf');
  const options = {
    dir,
    redisSocket: redis.socket,
    config: {
      usb: { sysfsRoot: bus.sysfsRoot, monitorCommand: bus.monitorCommand },
      policy: { mode: 'report', file: rules, implicitTarget: 'allow' },
      leds: { root: leds },
      status: { public: 'state' },
    },
  };
  const first = await startDaemon(t, options);
  const codeFile = path.join(dir, 'claim-code');
  const code = await until(
    'the claim code',
    () => existsSync(codeFile) && readFileSync(codeFile, 'utf8').trim(),
  );
  assert.equal(statSync(codeFile).mode & 0o777, 0o600);
  const here = (...argv: readonly string[]) => run(...argv, '--socket', path.join(dir, 'control.sock'));
  assert.equal((await here('claim-code')).out, `${code}\n`);
  const page = apiClient(Number(new URL(first.url).port));
  assert.equal((await page.claim(code)).status, 201);
  await until('the code is gone', () => !existsSync(codeFile));

  bus.plug(scanner);
  bus.plug(keyboard);
  const verdict = async (client = page) => {
    const devices = (await client.call('GET', 'devices')).json.devices as readonly {
      readonly port: string;
      readonly verdict: { readonly target: string; readonly rule: string | null };
    }[];
    return devices.find(({ port }) => port === scanner.port)?.verdict;
  };
  await until('it is seen and allowed', async () => (await verdict())?.target === 'allow');
  await until('so is the other one', async () => {
    const devices = (await page.call('GET', 'devices')).json.devices as readonly {
      readonly verdict: { readonly target: string };
    }[];
    return devices.length === 2 && devices.every(({ verdict: { target } }) => target === 'allow');
  });
  const blocked = await page.call('POST', 'devices/1-2/block', { reason: 'not ours' });
  assert.equal(blocked.status, 200, blocked.body);
  await until('the verdict shows', async () => (await verdict())?.target === 'block');
  assert.match((await verdict())?.rule ?? '', /label "operator boss: not ours"$/);
  // Both say that they are keyboards: the one that remains is the last.
  const last = await page.call('POST', 'devices/1-1/block');
  assert.equal(last.json.code, 'policy.safety-floor', last.body);
  assert.match(await readFile(rules, 'utf8'), /^block id 05e0:1200 serial "S1"/);

  assert.equal((await page.call('POST', 'identify', { seconds: 60 })).status, 202);
  const led = async () => ((await page.call('GET', 'state')).json.led as { state: string }).state;
  await until('the LED says which box this is', async () => (await led()) === 'identify');
  await page.call('POST', 'identify', { seconds: 0 });
  await until('and the state again', async () => (await led()) !== 'identify');

  await first.stop('SIGKILL');
  const second = await startDaemon(t, options);
  const again = apiClient(Number(new URL(second.url).port));
  again.cookie = page.cookie;
  again.csrf = page.csrf;
  assert.equal((await again.call('POST', 'identify', { seconds: 1 })).json.code, 'status.login-needed');
  assert.ok(!existsSync(codeFile), 'nobody can claim it again');
  assert.equal((await again.claim(code, 'eve')).json.code, 'status.already-claimed');
  assert.equal((await again.logIn('boss', goodPassword)).status, 200);
  page.cookie = again.cookie;
  const { entries } = (await again.call('GET', 'audit')).json as {
    entries: readonly { act: string; n: number }[];
  };
  assert.ok(
    entries.some(({ act, n }) => act === 'POST /api/v1/devices/1-2/block' && n > 1),
    'the audit is kept',
  );
  const after = (await again.call('GET', 'devices')).json.devices as readonly {
    verdict: { target: string };
  }[];
  assert.deepEqual(
    after.map((each) => each.verdict.target),
    ['allow', 'block'],
  );
  // The same from the command line, whose answer comes once it is done.
  const allowed = await here('device', 'allow', '1-2', '--reason', 'ours after all', '--json');
  assert.equal(allowed.code, 0, allowed.err);
  await until('it is allowed', async () => (await verdict(again))?.target === 'allow');
  assert.match((await verdict(again))?.rule ?? '', /label "operator local: ours after all"$/);
  assert.equal((await here('identify', '--seconds', '60')).out, 'the LED says identify for 60 s\n');
  assert.equal(((await again.call('GET', 'state')).json.led as { state: string }).state, 'identify');
  const reboot = await here('reboot', '--yes');
  assert.equal(reboot.code, 1);
  assert.match(reboot.err, /^system\.unavailable: this computer takes no requests to reboot/);
});
