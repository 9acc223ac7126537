// The page in Chromium against the shipped daemon, a real Redis, a real broker and a bus made of files: what a person does, and what
// a stale session cannot do.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { withoutChromium } from '../support/chromium.ts';
import { type Daemon, type DaemonOptions, startDaemon } from '../support/daemon.ts';
import { freePort } from '../support/free-port.ts';
import { startMosquitto } from '../support/mosquitto.ts';
import { loggedOut, startPagePerson, tryToAllow } from '../support/page-person.ts';
import { startRedis } from '../support/redis.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import { usbBus } from '../support/usb-bus.ts';

const skip = withoutChromium();
const awake = '.hero.ok, .hero.warn';

async function startAppliance(t: TestContext) {
  const dir = await tempDir(t);
  const spoolFile = path.join(dir, 'spool');
  const bus = usbBus(t, dir, { spoolFile });
  const redis = await startRedis(t);
  const broker = await startMosquitto(t);
  const options: DaemonOptions = {
    dir,
    redisSocket: redis.socket,
    brokerUrl: broker.url,
    config: {
      usb: { sysfsRoot: bus.sysfsRoot, monitorCommand: bus.monitorCommand, spoolFile },
      policy: { mode: 'enforce', implicitTarget: 'allow', guard: 'off', file: path.join(dir, 'rules.conf') },
      status: { port: await freePort(), public: 'state' },
    },
  };
  const daemon = await startDaemon(t, options);
  return { bus, redis, options, daemon, ...(await startPagePerson(t, daemon.url)) };
}

const claimCode = ({ dir }: Daemon) => readFileSync(path.join(dir, 'claim-code'), 'utf8').trim();

test('a new box is claimed, a device appears without reload, is blocked, and a stale session can do nothing [S1] [S8]', {
  skip,
  timeout: 400_000,
}, async (t) => {
  const { bus, daemon, page, errors, ...person } = await startAppliance(t);
  await person.see('This appliance belongs to nobody yet.');
  const load = (await page.evaluate(`({
    bytes: performance.getEntriesByType('navigation')[0].encodedBodySize,
    paintMs: performance.getEntriesByName('first-contentful-paint')[0]?.startTime,
  })`)) as { readonly bytes: number; readonly paintMs?: number };
  assert.ok(load.bytes > 10_000 && load.bytes < 60_000, `the page came as ${load.bytes} bytes`);
  t.diagnostic(
    `the page: ${load.bytes} bytes, first painted after ${Math.round(load.paintMs ?? Number.NaN)} ms`,
  );

  await person.go('setup');
  await person.fill({
    code: 'AAAA-AAAA',
    name: 'eve',
    password: 'a guess, a guess',
    repeat: 'a guess, a guess',
  });
  await page.waitForSelector('.problem');
  await person.claim(claimCode(daemon));

  await person.go('devices');
  await person.see('Nothing is plugged in');
  const delays: number[] = [];
  for (const [index, port] of ['1-1', '1-2', '1-3', '1-1.4', '1-4'].entries()) {
    const product = `Scanner ${index}`;
    const seen = person.see(product);
    const began = performance.now();
    bus.plug({ port, vendorId: 0x0c2e, productId: 0x0b61, product, serial: `S${index}` });
    await seen;
    delays.push(performance.now() - began);
  }
  t.diagnostic(`plug to page: ${delays.map((ms) => `${Math.round(ms)} ms`).join(', ')}`);

  await person.block('Scanner 1', 'not one of ours');
  const authorized = path.join(bus.sysfsRoot, 'bus/usb/devices/1-2/authorized');
  await until('the device to be cut off', () => readFileSync(authorized, 'utf8').trim() === '0');

  const session = await person.copySession();
  assert.equal(await tryToAllow(daemon.url, '1-2', { cookie: session.cookie, csrf: 'wrong' }), 403);
  await person.logOut();
  await person.go('devices');
  await page.waitForSelector('input[name="password"]');
  assert.doesNotMatch(String(await page.evaluate('document.body.innerText')), /Scanner/);
  assert.equal(await tryToAllow(daemon.url, '1-2', session), 401);
  assert.equal(readFileSync(authorized, 'utf8').trim(), '0');
  assert.deepEqual(errors, []);
});

test('a link that is followed while the page still starts is not lost [S1]', {
  skip,
  timeout: 400_000,
}, async (t) => {
  const { page, errors } = await startAppliance(t);
  const onceParsed = "document.addEventListener('DOMContentLoaded', () => { location.hash = '#/setup'; })";
  await page.evaluateOnNewDocument(onceParsed);
  await page.reload();
  await page.waitForSelector('main[data-view="setup"] input[name="code"]', { timeout: 20_000 });
  assert.deepEqual(errors, []);
});

test('the page goes on by itself after Redis and after the daemon were away [S1] [S7]', {
  skip,
  timeout: 400_000,
}, async (t) => {
  const { bus, redis, daemon, options, page, errors, ...person } = await startAppliance(t);
  await person.claim(claimCode(daemon));
  await person.go('overview');
  // A test's machine lacks this and that (a clock that is set, for one): what counts is the way to a fault and back.
  await page.waitForSelector(awake);

  await redis.stop();
  await page.waitForSelector('.hero.bad');
  await redis.start();
  await page.waitForSelector(awake);
  bus.plug({ port: '1-1', vendorId: 1, productId: 2, product: 'After Redis' });
  await person.see('After Redis');

  const ended = await person.copySession();
  await daemon.stop();
  await page.waitForSelector('.hero.unknown');
  await person.see('No answer');
  await startDaemon(t, options);
  await page.waitForSelector(awake);
  // Sessions are kept in memory alone.
  await page.waitForSelector(loggedOut);
  assert.equal(await tryToAllow(daemon.url, '1-1', ended), 401);
  await person.logIn();
  await person.go('devices');
  await person.see('After Redis');

  // Anybody's account, not an administrator's alone.
  await person.changePassword('six words, and one of them more');
  await person.logOut();
  await person.logIn('six words, and one of them more');
  assert.deepEqual(errors, []);
});
