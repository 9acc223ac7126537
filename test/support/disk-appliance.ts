// The disk image with a broker on the host: booted from the firmware on, one boot after the other, with what it says and sends.
import type { TestContext } from 'node:test';
import type { CloudEvent } from '../../src/contracts/event.ts';
import { type Guest, hostFromGuest, startDiskGuest } from './guest.ts';
import { type DeviceKind, sockets } from './guest-devices.ts';
import { copyDisk, type GuestDisk } from './guest-disk.ts';
import { buildGuestDisk } from './guest-image.ts';
import { startMosquitto } from './mosquitto.ts';
import { type Subscriber, startSubscriber } from './mqtt-subscriber.ts';
import { tempDir } from './temp-dir.ts';
import { until } from './until.ts';
import type { Cleanup } from './with-cleanup.ts';

/** A plug takes about a second in the guest; beside another load it was seen to take five. */
export const eventLimitMs = 60_000;

export interface DiskAppliance {
  readonly dir: string;
  /** The image as it was built; nobody writes to it. */
  readonly built: string;
  /** A copy on a disk with room for a data partition. */
  readonly disk: GuestDisk;
  /** For CONFIG, as JSON. */
  readonly config: string;
  readonly subscriber: Subscriber;
  /** The one that was booted last. */
  readonly guest: Guest;
  /** Cuts the power of the guest before. */
  boot(t: TestContext, from: GuestDisk): Promise<void>;
  /** What the boot steps said on the console. */
  told(): readonly string[];
  /** What the boot steps left for the runtime. */
  notes(): Promise<string>;
  /** Resolves once a device of this kind, plugged in now, is at the broker. */
  arrives(kind: DeviceKind): Promise<void>;
}

export async function startDiskAppliance(cleanup: Cleanup): Promise<DiskAppliance> {
  const built = await buildGuestDisk();
  const dir = await tempDir(cleanup);
  const broker = await startMosquitto(cleanup);
  const subscriber = await startSubscriber(cleanup, broker.url, 'autoweave/v1/#');
  const config = JSON.stringify({
    appliance: { tenant: 'acme', site: 'lab', name: 'kiosk-7' },
    status: { public: 'all' },
    uplink: { url: `mqtt://${hostFromGuest}:${broker.port}`, backoffMinMs: 100, backoffMaxMs: 1_000 },
  });
  const disk = await copyDisk(built, dir, 2_048);
  let guest: Guest | undefined;
  const now = (): Guest => {
    if (guest === undefined) throw new Error('nothing was booted yet');
    return guest;
  };
  const seen = (kind: DeviceKind) =>
    subscriber.messages
      .filter(({ topic }) => topic.startsWith('autoweave/v1/acme/lab/kiosk-7/event/'))
      .map(({ payload }) => JSON.parse(payload) as CloudEvent)
      .filter(
        ({ type, subject }) => type === 'usb.device.added' && subject === `usb/${sockets[kind].kernelPort}`,
      );
  return {
    ...{ dir, built, disk, config, subscriber },
    get guest() {
      return now();
    },
    async boot(t, from) {
      await guest?.powerCut();
      guest = await startDiskGuest(cleanup, { disk: from.file, until: 'daemon' });
      t.diagnostic(`daemon answers ${guest.bootSeconds.toFixed(1)} s after the firmware's start`);
    },
    told: () => now().qemu.console.lines.filter((line) => line.startsWith('autoweave: ')),
    notes: () => now().shell.must('cat /run/autoweave-boot/notes'),
    async arrives(kind) {
      const count = seen(kind).length;
      await now().devices.plug(kind);
      await until(`the ${kind} at the broker`, () => seen(kind).length > count, eventLimitMs);
    },
  };
}
