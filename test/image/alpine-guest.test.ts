// The base `alpine`, built from the repository that the tests make, booted: what runs under musl does what it does under glibc.
import assert from 'node:assert/strict';
import { before, suite, test } from 'node:test';
import type { CloudEvent } from '../../src/contracts/event.ts';
import { guestPlugins } from '../plugins/guest-plugins.ts';
import { seer, signedPlugin } from '../plugins/test-plugins.ts';
import { type Guest, hostFromGuest, startGuest } from '../support/guest.ts';
import { type DeviceKind, sockets } from '../support/guest-devices.ts';
import { buildGuestImage, whyNoGuest } from '../support/guest-image.ts';
import { startMosquitto } from '../support/mosquitto.ts';
import { type Subscriber, startSubscriber } from '../support/mqtt-subscriber.ts';
import { suiteCleanup } from '../support/suite-cleanup.ts';
import { until } from '../support/until.ts';

/** A plug takes about a second in the guest; beside another load it was seen to take five. */
const eventLimitMs = 120_000;
const kinds: readonly DeviceKind[] = ['keyboard', 'storage', 'serial', 'hub', 'hub-child'];
const subject = (kind: DeviceKind) => `usb/${sockets[kind].kernelPort}`;

suite('a guest on the base alpine', { skip: whyNoGuest('alpine') }, () => {
  const cleanup = suiteCleanup();
  let guest: Guest;
  let subscriber: Subscriber;

  before(async () => {
    const image = await buildGuestImage(undefined, 'alpine');
    const broker = await startMosquitto(cleanup);
    subscriber = await startSubscriber(cleanup, broker.url, 'autoweave/v1/acme/lab/alpine/#');
    guest = await startGuest(cleanup, {
      image,
      until: 'daemon',
      config: {
        appliance: { tenant: 'acme', site: 'lab', name: 'alpine' },
        uplink: { url: `mqtt://${hostFromGuest}:${broker.port}`, backoffMinMs: 100, backoffMaxMs: 1_000 },
        status: { listen: '0.0.0.0', public: 'all' },
      },
    });
  });

  const seen = (type: string, of: string) =>
    subscriber.messages
      .filter(({ topic }) => topic.includes('/event/'))
      .map(({ payload }) => JSON.parse(payload) as CloudEvent)
      .filter((event) => event.type === `usb.device.${type}` && event.subject === of).length;

  test('daemon, Redis, busybox, kmod and bubblewrap are programs for musl [I1]', async (t) => {
    t.diagnostic(`daemon answers ${guest.bootSeconds.toFixed(1)} s after the start of QEMU`);
    const maps = await guest.shell.must(`
      for name in node redis-server syslogd udhcpc; do
        for pid in $(pidof "$name"); do
          echo "$name $(grep -c ld-musl "/proc/$pid/maps") $(grep -c ld-linux "/proc/$pid/maps")"
        done
      done`);
    const programs = maps.trim().split('\n');
    for (const name of ['node', 'redis-server', 'syslogd'])
      assert.ok(
        programs.some((line) => line.startsWith(`${name} `)),
        `${name} does not run: ${maps}`,
      );
    for (const line of programs) assert.match(line, /^\S+ [1-9]\d* 0$/);
  });

  test('the daemon watches, and every device plugged in and out arrives at the broker [U1]', async () => {
    await guest.qemu.console.waitFor(/^watching, health/, eventLimitMs);
    for (const kind of kinds) {
      await guest.devices.plug(kind);
      await until(`${kind} is ready`, () => seen('ready', subject(kind)) === 1, eventLimitMs);
    }
    for (const kind of kinds.toReversed().filter((name) => name !== 'hub-child')) {
      await guest.devices.unplug(kind);
      await until(`${kind} is removed`, () => seen('removed', subject(kind)) === 1, eventLimitMs);
    }
    for (const kind of kinds)
      assert.deepEqual([seen('added', subject(kind)), seen('removed', subject(kind))], [1, 1], kind);
  });

  test('a plugin runs inside all its limits under musl, and its event reaches the broker [P5]', async (t) => {
    const plugins = await guestPlugins(guest);
    const { body } = await plugins.install(await signedPlugin({ code: seer }));
    assert.equal(body.code, undefined, JSON.stringify(body));
    const status = await plugins.inState('probe', 'running');
    assert.deepEqual(status.isolation, { complete: true, missing: [] });
    t.diagnostic(`memory charged to the plugin's leaf: ${status.memoryBytes} bytes`);
    await guest.devices.plug('keyboard');
    await until(
      'the plugin saw it',
      () => subscriber.messages.some(({ topic }) => topic.endsWith('/event/plugin.probe.seen')),
      eventLimitMs,
    );
    await guest.devices.unplug('keyboard');
  });

  test('the usb addon, deep stacks, names and languages work under musl [I1]', async () => {
    const loaded = await guest.shell.must('grep -l /usr/lib/autoweave/usb.node /proc/[0-9]*/maps');
    assert.match(loaded, /maps/);
    const facts = await guest.shell.must('node /usr/lib/autoweave-test/libc-facts.mjs', eventLimitMs);
    assert.deepEqual(JSON.parse(facts), {
      isGlibc: false,
      mainStack: 'RangeError',
      workerStack: 'RangeError',
      nestedJson: 4_000,
      // glibc would say 127.0.0.1: what listens for `localhost` must listen on both.
      localhost: '::1',
      unknownName: 'not found',
      euro: '1.234,50\u00a0€',
      sorted: 'a,ä,z',
    });
  });
});
