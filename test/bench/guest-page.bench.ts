// From the plug (QMP) to the words on the status page in the host's Chromium, with the policy enforced, in the booted guest. Limit: the
// guest's own kernel, until its record of the device: it waits for a steady port (100 ms), resets the port, twice where the device is no
// SuperSpeed one, with some 60 ms each and 50 ms of rest, and reads descriptors. All but that waiting is emulated, many times slower than
// the machine itself; Chromium shares its two cores.
import { setTimeout as delay } from 'node:timers/promises';
import { withoutChromium } from '../support/chromium.ts';
import { hostFromGuest, startGuest } from '../support/guest.ts';
import { type DeviceKind, sockets } from '../support/guest-devices.ts';
import { buildGuestImage, whyNoGuest } from '../support/guest-image.ts';
import { startMosquitto } from '../support/mosquitto.ts';
import { startSubscriber } from '../support/mqtt-subscriber.ts';
import { startPagePerson } from '../support/page-person.ts';
import { readUptimeAhead } from '../support/uptime-ahead.ts';
import { withCleanup } from '../support/with-cleanup.ts';
import { type BenchRow, benchRow } from './bench-row.ts';

const PLUGS = 10;
/** The first plugs of a kind load its driver and run code for the first time. */
const WARM_UP = 2;
/** Nobody plugs without a rest, and the daemon spends a bounded part of its time on telling of plugs (device-feed.ts). */
const REST_MS = 1_000;
const AIM_MS = 500;
const LIMIT_MS = 60_000;
const kinds: readonly (readonly [DeviceKind, string])[] = [
  ['storage', 'QEMU USB HARDDRIVE'],
  ['keyboard', 'QEMU USB Keyboard'],
  ['mouse', 'QEMU USB Mouse'],
];

export async function* bench(): AsyncIterable<BenchRow> {
  const why = whyNoGuest() || withoutChromium();
  if (why !== false) throw new Error(`the benchmark of the page in the guest cannot run here: ${why}`);
  yield* withCleanup(async function* (t) {
    const broker = await startMosquitto(t);
    const subscriber = await startSubscriber(t, broker.url);
    const guest = await startGuest(t, {
      image: await buildGuestImage(),
      until: 'daemon',
      moreCommandLine: 'usbcore.authorized_default=0',
      config: {
        usb: { portBurst: 100_000 },
        uplink: { url: `mqtt://${hostFromGuest}:${broker.port}` },
        policy: { mode: 'enforce', implicitTarget: 'allow' },
        status: { listen: '0.0.0.0', public: 'all' },
      },
    });
    const { page, ...person } = await startPagePerson(t, guest.statusUrl);
    await person.go('devices');
    await person.see('Nothing is plugged in');
    const uptimeAheadMs = await readUptimeAhead(guest.shell);
    for (const [kind, name] of kinds) {
      const { kernelPort } = sockets[kind];
      const pageMs: number[] = [];
      const recordMs: number[] = [];
      const signMs: number[] = [];
      for (let plug = 1; plug <= WARM_UP + PLUGS; plug += 1) {
        const before = subscriber.messages.length;
        const told = (type: string) =>
          subscriber.message(
            `${type} of ${kind}`,
            (message) =>
              subscriber.messages.indexOf(message) >= before &&
              message.topic.endsWith(`/event/${type}`) &&
              message.payload.includes(`"usb/${kernelPort}"`),
            LIMIT_MS,
          );
        const began = performance.now();
        const seen = person.see(name).then(() => performance.now() - began);
        // On a slow machine the device itself may be there first.
        const sign = person.see('Connecting…', name).then(() => performance.now() - began);
        const [signedMs, seenMs, { payload }] = await Promise.all([
          sign,
          seen,
          told('usb.device.added'),
          guest.devices.plug(kind),
        ]);
        await told('usb.device.ready');
        if (plug > WARM_UP) {
          signMs.push(signedMs);
          pageMs.push(seenMs);
          const { uptimems } = JSON.parse(payload) as { readonly uptimems: number };
          recordMs.push(uptimems - uptimeAheadMs - began);
        }
        await guest.devices.unplug(kind);
        await told('usb.device.removed');
        await page.waitForFunction(`!document.body.innerText.includes(${JSON.stringify(name)})`, {
          polling: 'mutation',
        });
        await delay(REST_MS);
      }
      for (const quantile of [0.5, 0.95])
        yield benchRow(
          `guest (emulated): ${kind} plugged -> "Connecting…" on the page, p${quantile * 100}`,
          at(signMs, quantile),
          at(recordMs, quantile),
          'ms',
        );
      yield benchRow(
        `guest (emulated): ${kind} "Connecting…" below ${AIM_MS} ms`,
        (100 * signMs.filter((ms) => ms < AIM_MS).length) / signMs.length,
        100,
        '%',
      );
      for (const quantile of [0.5, 0.95])
        yield benchRow(
          `guest (emulated): ${kind} plugged -> named on the page, p${quantile * 100}`,
          at(pageMs, quantile),
          at(recordMs, quantile),
          'ms',
        );
      yield benchRow(
        `guest (emulated): ${kind} named on the page below ${AIM_MS} ms`,
        (100 * pageMs.filter((ms) => ms < AIM_MS).length) / pageMs.length,
        100,
        '%',
      );
    }
  });
}

function at(samples: readonly number[], quantile: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(quantile * sorted.length))] ?? Number.NaN;
}
