// The page in the host's Chromium against the booted appliance: claimed with the code that its screen shows, devices plugged through QMP,
// a verdict that the guest's kernel obeys, and a stale session that can do nothing.
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { withoutChromium } from '../support/chromium.ts';
import { hostFromGuest, startGuest } from '../support/guest.ts';
import { type DeviceKind, sockets } from '../support/guest-devices.ts';
import { buildGuestImage, whyNoGuest } from '../support/guest-image.ts';
import { startMosquitto } from '../support/mosquitto.ts';
import { startSubscriber } from '../support/mqtt-subscriber.ts';
import { startMuteUsbDevice } from '../support/mute-usb-device.ts';
import { loggedOut, startPagePerson, tryToAllow } from '../support/page-person.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import { readUptimeAhead } from '../support/uptime-ahead.ts';

/** A plug takes about a second in the guest; beside another load it was seen to take five. */
const limitMs = 120_000;
/** QEMU's number of the socket that the audio device has otherwise. */
const MUTE_SOCKET = sockets.audio.port;
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
  const events = 'autoweave/v1/acme/lab/guest/event';
  const subscriber = await startSubscriber(t, broker.url, `${events}/+`);
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
  const toldOf = (kind: DeviceKind, what: 'added' | 'ready', since: number) =>
    subscriber.messages
      .slice(since)
      .find(
        ({ payload, topic }) =>
          topic === `${events}/usb.device.${what}` && payload.includes(`"usb/${sockets[kind].kernelPort}"`),
      );
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
  const onItsWay = "document.body.innerText.includes('Connecting…')";
  const noneIsLeft = "document.body.innerText.includes('Nothing is plugged in')";
  const uptimeAheadMs = await readUptimeAhead(guest.shell);
  for (const round of ['first', 'second'] as const) {
    const delays: string[] = [];
    for (const [kind, name] of plugs) {
      await page.waitForFunction(`!${onItsWay}`, { polling: 'mutation' });
      const before = subscriber.messages.length;
      const began = performance.now();
      const since = () => performance.now() - began;
      const sign = person.see('Connecting…', name).then(since);
      const seen = person.see(name).then(since);
      const told = until(`${kind} at the broker`, () => toldOf(kind, 'added', before), limitMs);
      const [signMs, seenMs, { payload }] = await Promise.all([sign, seen, told, guest.devices.plug(kind)]);
      // Until then the guest's kernel is at work: its own waiting for a steady port, resets, descriptors, all of it emulated.
      const recordMs =
        (JSON.parse(payload) as { readonly uptimems: number }).uptimems - uptimeAheadMs - began;
      delays.push(
        `${Math.round(signMs)}, named ${Math.round(seenMs)} ms (the kernel's record after ${Math.round(recordMs)})`,
      );
      // One after the other, as a person plugs: the guest has done its work for this one.
      await until(`${kind} to be ready`, () => toldOf(kind, 'ready', before), limitMs);
    }
    t.diagnostic(`plug to page, ${round} time: ${delays.join(', ')}`);
    if (round === 'second') break;
    for (const [kind] of plugs) await guest.devices.unplug(kind);
    await page.waitForFunction(noneIsLeft, { polling: 'mutation', timeout: limitMs });
  }

  const mute = await startMuteUsbDevice(t, path.join(await tempDir(t), 'mute'));
  const pullOut = await guest.devices.plugRedirected(mute.socketPath, MUTE_SOCKET);
  await person.see('Does not work');
  await person.see('What is plugged in does not answer', 'try another cable');
  const failure = await until(
    'the failure at the broker',
    () => subscriber.messages.find(({ topic }) => topic === `${events}/usb.port.failed`),
    limitMs,
  );
  const { data } = JSON.parse(failure.payload) as { readonly data: Readonly<Record<string, unknown>> };
  assert.deepEqual([data.port, data.code, data.times], [`1-${MUTE_SOCKET}`, 'usb.port-no-answer', 1]);
  assert.ok(mute.refused() > 0);
  t.diagnostic(`a device that refuses ${mute.refused()} requests: ${String(data.why)}`);
  await pullOut();
  await guest.devices.plug('audio');
  await page.waitForFunction("!document.body.innerText.includes('Does not work')", { polling: 'mutation' });
  await guest.devices.unplug('audio');

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
