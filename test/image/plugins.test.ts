// Plugins on the booted appliance: cgroup v2, namespaces and system call filter of a real kernel, from the signed bundle to the broker.
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import type { CloudEvent } from '../../src/contracts/event.ts';
import { type GuestPlugins, guestPlugins } from '../plugins/guest-plugins.ts';
import { seer, signedPlugin } from '../plugins/test-plugins.ts';
import { type Guest, hostFromGuest, startGuest } from '../support/guest.ts';
import { buildGuestImage, whyNoGuest } from '../support/guest-image.ts';
import { startMosquitto } from '../support/mosquitto.ts';
import { type Subscriber, startSubscriber } from '../support/mqtt-subscriber.ts';
import { until } from '../support/until.ts';
import type { Cleanup } from '../support/with-cleanup.ts';

const LIMIT_MS = 120_000;

suite('plugins in a booted guest', { skip: whyNoGuest() }, () => {
  const undo: (() => unknown)[] = [];
  const cleanup: Cleanup = { after: (step) => void undo.push(step as () => unknown) };
  let guest: Guest;
  let plugins: GuestPlugins;
  let subscriber: Subscriber;

  before(async () => {
    const image = await buildGuestImage();
    const broker = await startMosquitto(cleanup);
    subscriber = await startSubscriber(cleanup, broker.url);
    guest = await startGuest(cleanup, {
      image,
      until: 'daemon',
      config: {
        uplink: { url: `mqtt://${hostFromGuest}:${broker.port}`, backoffMinMs: 100, backoffMaxMs: 1_000 },
        status: { listen: '0.0.0.0' },
      },
    });
    plugins = await guestPlugins(guest);
  });
  after(async () => {
    for (const step of undo.reverse()) await step();
  });

  const events = () =>
    subscriber.messages
      .filter(({ topic }) => topic.includes('/event/'))
      .map(({ payload }) => JSON.parse(payload) as CloudEvent);
  const ofType = (type: string) => events().filter((event) => event.type === type);

  test('a signed plugin runs inside all its limits and its event reaches the broker [P5]', async (t) => {
    const { code, text } = await plugins.install(await signedPlugin({ code: seer }));
    assert.equal(code, 0, text);
    const status = await plugins.inState('probe', 'running');
    assert.deepEqual(status.isolation, { complete: true, missing: [] });
    await guest.devices.plug('keyboard');
    await until('the plugin saw it', () => ofType('plugin.probe.seen').length > 0, LIMIT_MS);
    const [seen] = ofType('plugin.probe.seen');
    assert.equal(seen?.data.subject, 'usb/1-1');
    t.diagnostic(`memory charged to its leaf: ${status.memoryBytes} bytes`);
  });
});
