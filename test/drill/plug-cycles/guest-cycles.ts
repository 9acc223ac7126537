// Plug cycles in the booted guest: kernel, udev, spool, scan and cross-check are all real; Redis is stopped for a while and the
// daemon killed in the middle of it.
import { startChecker } from '../../support/checker/start-checker.ts';
import { hostFromGuest, startGuest } from '../../support/guest.ts';
import { buildGuestImage, whyNoGuest } from '../../support/guest-image.ts';
import { startMosquitto } from '../../support/mosquitto.ts';
import type { Cleanup } from '../../support/with-cleanup.ts';
import { followAcknowledged } from '../follow-acknowledged.ts';
import { startPlugAccount } from '../plug-account.ts';
import { settle } from '../settle.ts';

const PARTS = 4;
/** A plug takes up to 0.2 s of a quiet emulated machine. */
const CYCLE_LIMIT_MS = 5_000;
const UDEVD_LIMIT_MS = 1_900_000;

/** Fails when there was none to kill. */
const killDaemon = `
  killed=1
  for pid in $(cat /sys/fs/cgroup/edge/main/cgroup.procs); do
    if [ "$(readlink "/proc/$pid/exe")" = /usr/bin/node ]; then kill -KILL "$pid" && killed=0; fi
  done
  exit $killed`;

export async function guestCycles(
  t: Cleanup,
  { n, say }: { readonly n: number; readonly say: (line: string) => void },
): Promise<number> {
  const why = whyNoGuest();
  if (why !== false || n === 0) {
    say(`guest: left out: ${n === 0 ? 'no cycle is to be done there' : why}`);
    return 0;
  }
  const broker = await startMosquitto(t);
  const checker = await startChecker(t, broker.url);
  const account = await startPlugAccount(t, broker.url);
  const unlimited = { portEventsPerSecond: 1e6, portBurst: 1e6, eventsPerSecond: 1e6, burst: 1e6 };
  const guest = await startGuest(t, {
    image: await buildGuestImage(),
    until: 'daemon',
    config: {
      appliance: { tenant: 'acme', site: 'lab', name: 'guest' },
      usb: { debounceMs: 0, ...unlimited },
      uplink: { url: `mqtt://${hostFromGuest}:${broker.port}`, backoffMinMs: 100, backoffMaxMs: 1_000 },
      status: { listen: '0.0.0.0', public: 'all' },
    },
  });
  const following = followAcknowledged(t, guest.statusUrl, checker.acknowledged);
  const cycles = async (count: number) => {
    for (let each = 0; each < count; each += 1) {
      const device = account.next('1-1');
      account.plugged(device);
      account.unplugged(device);
    }
    const from = account.plugs - count + 1;
    const script = `node /usr/lib/autoweave-test/plug-cycles.mjs ${count} ${from}`;
    say(
      `guest: plugs ${from} to ${account.plugs}: ${(await guest.shell.must(script, 60_000 + count * CYCLE_LIMIT_MS)).trim()}`,
    );
  };
  const part = Math.floor(n / PARTS);
  await cycles(part);
  await guest.shell.must(
    'kill -STOP $(pidof redis-server); (sleep 7; kill -CONT $(pidof redis-server)) >/dev/null 2>&1 &',
  );
  say('guest: Redis hangs for 7 s');
  await cycles(part);
  // The service's own start brings it back.
  const killing = cycles(part);
  killing.catch(() => undefined);
  await guest.shell.must(killDaemon);
  say('guest: the daemon was killed');
  await killing;
  await cycles(n - 3 * part);
  // udevd takes seconds for what the kernel did in one; what happened while the daemon was dead is in its queue.
  await guest.shell.must('udevadm settle --timeout=1800', UDEVD_LIMIT_MS);
  const faults = await settle({ checker, account }, 300_000, (line) => say(`guest: ${line}`));
  following.stop();
  return faults;
}
