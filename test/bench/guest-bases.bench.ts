// The same appliance on both bases, booted and idle: start, memory (proportional set size) and size of the root. Ours is the base alpine
// (musl), the limit column the base debian (glibc) of the same run; all of it is emulated.
import { stat } from 'node:fs/promises';
import type { BaseName } from '../../image/base/base-providers.ts';
import { hostFromGuest, startGuest } from '../support/guest.ts';
import { buildGuestImage, whyNoGuest } from '../support/guest-image.ts';
import { startMosquitto } from '../support/mosquitto.ts';
import { startSubscriber } from '../support/mqtt-subscriber.ts';
import { type BenchRow, benchRow } from './bench-row.ts';

/** Quiet: seconds. */
const LIMIT_MS = 240_000;

interface Facts {
  readonly bootSeconds: number;
  readonly rootMB: number;
  readonly daemonMiB: number;
  readonly storeMiB: number;
  readonly usedMiB: number;
}

export async function* bench(): AsyncIterable<BenchRow> {
  const why = whyNoGuest('alpine');
  if (why !== false) throw new Error(`the benchmark of the bases cannot run here: ${why}`);
  const musl = await factsOf('alpine');
  const glibc = await factsOf('debian');
  const rows: readonly (readonly [string, keyof Facts, string])[] = [
    ['start of QEMU -> the daemon answers', 'bootSeconds', 's'],
    ['root file system, fast compression', 'rootMB', 'MB'],
    ['idle daemon', 'daemonMiB', 'MiB'],
    ['idle Redis', 'storeMiB', 'MiB'],
    ['whole machine, used', 'usedMiB', 'MiB'],
  ];
  for (const [name, key, unit] of rows)
    yield benchRow(`alpine beside debian: ${name}`, musl[key], glibc[key], unit);
}

async function factsOf(base: BaseName): Promise<Facts> {
  const undo: (() => unknown)[] = [];
  const t = { after: (step: () => unknown) => void undo.push(step) };
  try {
    const image = await buildGuestImage(undefined, base);
    const broker = await startMosquitto(t);
    const subscriber = await startSubscriber(t, broker.url);
    const guest = await startGuest(t, {
      image,
      until: 'daemon',
      config: { uplink: { url: `mqtt://${hostFromGuest}:${broker.port}` }, status: { listen: '0.0.0.0' } },
    });
    await subscriber.count(/\/event\/uplink\.connected$/, 1, LIMIT_MS);
    // Node gives memory back some seconds after its start.
    await guest.shell.must('sleep 20', LIMIT_MS);
    const pss = async (pids: string) => {
      const kib = Number(
        await guest.shell.must(
          `for pid in $(${pids}); do awk '/^Pss:/ { print $2 }' "/proc/$pid/smaps_rollup"; done | sort -n | tail -n 1`,
        ),
      );
      if (kib === 0) throw new Error(`${base}: no process was found by ${pids}`);
      return kib / 1_024;
    };
    const used = await guest.shell.must(
      `awk '/^MemTotal:/ { total = $2 } /^MemAvailable:/ { print total - $2 }' /proc/meminfo`,
    );
    return {
      bootSeconds: guest.bootSeconds,
      rootMB: (await stat(image.squashfs)).size / 1e6,
      daemonMiB: await pss('cat /sys/fs/cgroup/edge/main/cgroup.procs'),
      storeMiB: await pss("ps -o pid,user | sed -n 's/^ *\\([0-9]*\\) redis.*/\\1/p'"),
      usedMiB: Number(used) / 1_024,
    };
  } finally {
    for (const step of undo.reverse()) await step();
  }
}
