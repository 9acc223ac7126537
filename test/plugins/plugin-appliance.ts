// A booted guest for the tests of plugins: its broker on the host, what arrives there, and devices to plug.
import type { CloudEvent } from '../../src/contracts/event.ts';
import { type Guest, hostFromGuest, startGuest } from '../support/guest.ts';
import { buildGuestImage } from '../support/guest-image.ts';
import { startMosquitto } from '../support/mosquitto.ts';
import { startSubscriber } from '../support/mqtt-subscriber.ts';
import { until } from '../support/until.ts';
import type { Cleanup } from '../support/with-cleanup.ts';
import { type GuestPlugins, guestPlugins } from './guest-plugins.ts';

/** Quiet: seconds. */
export const LIMIT_MS = 240_000;

export interface PluginAppliance {
  readonly guest: Guest;
  readonly plugins: GuestPlugins;
  /** What arrived at the broker, each once, in the order of arrival. */
  events(): readonly CloudEvent[];
  ofType(type: string): readonly CloudEvent[];
  arrived(what: string, matches: (event: CloudEvent) => boolean): Promise<CloudEvent>;
  /** A keyboard is plugged and unplugged; resolves once the broker was told of both. */
  plugOnce(): Promise<void>;
  /** So often `plugOnce` was called. */
  readonly plugs: number;
}

export async function startPluginAppliance(
  cleanup: Cleanup,
  { memoryMiB = 1024 }: { readonly memoryMiB?: number } = {},
): Promise<PluginAppliance> {
  const image = await buildGuestImage();
  const broker = await startMosquitto(cleanup);
  const subscriber = await startSubscriber(cleanup, broker.url);
  const guest = await startGuest(cleanup, {
    ...{ image, memoryMiB },
    until: 'daemon',
    config: {
      uplink: { url: `mqtt://${hostFromGuest}:${broker.port}`, backoffMinMs: 100, backoffMaxMs: 1_000 },
      usb: { portBurst: 10_000 },
      status: { listen: '0.0.0.0', public: 'all' },
    },
  });
  const plugins = await guestPlugins(guest);
  const byId = new Map<string, CloudEvent>();
  let read = 0;
  let plugs = 0;
  const events = () => {
    for (const { payload, topic } of subscriber.messages.slice(read)) {
      read += 1;
      if (!topic.includes('/event/')) continue;
      const event = JSON.parse(payload) as CloudEvent;
      if (!byId.has(event.id)) byId.set(event.id, event);
    }
    return [...byId.values()];
  };
  const ofType = (type: string) => events().filter((event) => event.type === type);
  return {
    guest,
    plugins,
    events,
    ofType,
    arrived: (what, matches) => until(what, () => events().find(matches), LIMIT_MS),
    async plugOnce() {
      plugs += 1;
      await guest.devices.plug('keyboard');
      await until('it is told', () => ofType('usb.device.added').length >= plugs, LIMIT_MS);
      await guest.devices.unplug('keyboard');
      await until('it is gone', () => ofType('usb.device.removed').length >= plugs, LIMIT_MS);
    },
    get plugs() {
      return plugs;
    },
  };
}
