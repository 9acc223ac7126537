// The page in the host's Chromium against the booted appliance: claimed with the code that its screen shows, devices plugged through QMP,
// a verdict that the guest's kernel obeys, and a stale session that can do nothing.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withoutChromium } from '../support/chromium.ts';
import { hostFromGuest, startGuest } from '../support/guest.ts';
import { type DeviceKind, sockets } from '../support/guest-devices.ts';
import { buildGuestImage, whyNoGuest } from '../support/guest-image.ts';
import { startMosquitto } from '../support/mosquitto.ts';
import { startSubscriber } from '../support/mqtt-subscriber.ts';
import { loggedOut, startPagePerson, tryToAllow } from '../support/page-person.ts';
import { until } from '../support/until.ts';

/** A plug takes about a second in the guest; beside another load it was seen to take five. */
const limitMs = 120_000;
const awake = '.hero.ok, .hero.warn';
/** What the devices of QEMU call themselves. */
const plugs: readonly (readonly [DeviceKind, string])[] = [
  ['keyboard', 'QEMU USB Keyboard'],
  ['mouse', 'QEMU USB Mouse'],
  ['tablet', 'QEMU USB Tablet'],
  ['serial', 'QEMU USB SERIAL'],
  ['network', 'RNDIS/QEMU USB Network Device'],
  ['storage', 'QEMU USB HARDDRIVE'],
];

test('a booted box is claimed, shows a plug without reload, blocks a device, and outlives Redis and itself [S1] [S7] [S8]', {
  skip: whyNoGuest() || withoutChromium(),
  // Another guest may be booted, tested and ended meanwhile.
  timeout: 2_700_000,
}, async (t) => {
  const broker = await startMosquitto(t);
  const added = 'autoweave/v1/acme/lab/guest/event/usb.device.added';
  const subscriber = await startSubscriber(t, broker.url, added);
  const guest = await startGuest(t, {
    image: await buildGuestImage(),
    until: 'daemon',
    moreCommandLine: 'usbcore.authorized_default=0',
    config: {
      appliance: { tenant: 'acme', site: 'lab', name: 'guest' },
      uplink: { url: `mqtt://${hostFromGuest}:${broker.port}`, backoffMinMs: 100, backoffMaxMs: 1_000 },
      policy: { mode: 'enforce', implicitTarget: 'allow' },
      status: { listen: '0.0.0.0', public: 'state' },
    },
  });
  t.diagnostic(`the daemon answers ${guest.bootSeconds.toFixed(1)} s after QEMU's start`);
  const isAtBroker = (kind: DeviceKind) =>
    subscriber.messages.some(({ payload }) => payload.includes(`"usb/${sockets[kind].kernelPort}"`));
  const url = guest.statusUrl;
  const { page, errors, ...person } = await startPagePerson(t, url);
  await person.see('This appliance belongs to nobody yet.');

  await person.go('setup');
  await person.fill({
    code: 'AAAA-AAAA',
    name: 'eve',
    password: 'a guess, a guess',
    repeat: 'a guess, a guess',
  });
  await page.waitForSelector('.problem');
  const shown = await guest.qemu.console.waitFor(/To claim it: open its page and enter \S+$/, limitMs);
  await person.claim(shown.trim().split(' ').at(-1) ?? '');

  await person.go('devices');
  await person.see('Nothing is plugged in');
  const delays: string[] = [];
  for (const [kind, name] of plugs) {
    const began = performance.now();
    const since = () => Math.round(performance.now() - began);
    const seen = person.see(name).then(since);
    // How long the guest itself takes, which is emulated: from the plug to the event at the broker.
    const told = until(`${kind} at the broker`, () => isAtBroker(kind), limitMs).then(since);
    const [seenMs, toldMs] = await Promise.all([seen, told, guest.devices.plug(kind)]);
    delays.push(`${seenMs} ms (broker ${toldMs} ms)`);
  }
  t.diagnostic(`plug to page: ${delays.join(', ')}`);

  const { kernelPort: port } = sockets.mouse;
  const authorized = async () =>
    (await guest.shell.must(`cat /sys/bus/usb/devices/${port}/authorized`)).trim();
  await until('the mouse is let in', async () => (await authorized()) === '1', limitMs);
  await person.block('QEMU USB Mouse', 'not one of ours');
  await until('the mouse is cut off', async () => (await authorized()) === '0', limitMs);

  const session = await person.copySession();
  assert.equal(await tryToAllow(url, port, { cookie: session.cookie, csrf: 'wrong' }), 403);
  assert.equal(await tryToAllow(url, port, { cookie: session.cookie }), 403);
  await person.logOut();
  await person.go('devices');
  await page.waitForSelector('input[name="password"]');
  assert.doesNotMatch(String(await page.evaluate('document.body.innerText')), /QEMU/);
  assert.equal(await tryToAllow(url, port, session), 401);
  assert.equal(await authorized(), '0');

  await person.logIn();
  await person.go('overview');
  await page.waitForSelector(awake);
  await guest.shell.must('rc-service redis stop');
  await page.waitForSelector('.hero.bad');
  await guest.shell.must('rc-service redis start');
  await page.waitForSelector(awake);
  await guest.devices.unplug('tablet');
  await person.go('devices');
  await person.see('QEMU USB Keyboard');
  const gone = "!document.body.innerText.includes('QEMU USB Tablet')";
  await page.waitForFunction(gone, { polling: 'mutation' });

  const ended = await person.copySession();
  await person.go('overview');
  await guest.shell.must('rc-service autoweave stop');
  await page.waitForSelector('.hero.unknown');
  await person.see('No answer');
  await guest.shell.must('rc-service autoweave start');
  await page.waitForSelector(awake);
  // Sessions are kept in memory alone.
  await page.waitForSelector(loggedOut);
  assert.equal(await tryToAllow(url, port, ended), 401);
  await person.logIn();
  await person.go('devices');
  await page.locator('::-p-text(QEMU USB Mouse)').click();
  await page.waitForSelector('.detail .pill.bad');
  await until('the mouse is still cut off', async () => (await authorized()) === '0', limitMs);
  assert.deepEqual(errors, []);
});
