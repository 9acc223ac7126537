// [B3] [B6] N events while the broker is away: memory, disk and start-up time must not follow their number. Then the broker comes back,
// and all of them arrive in order while 200 more a second keep coming.
import { setTimeout as delay } from 'node:timers/promises';
import { until } from '../support/until.ts';
import { type Cleanup, withCleanup } from '../support/with-cleanup.ts';
import type { Drill } from './drill.ts';
import { inspectorEnvironment, readPssMB } from './live-memory.ts';
import { openFlood } from './offline/flood.ts';
import { readResources, resourcesText, startFlashMeter } from './offline/resources.ts';
import { type Rig, startRig } from './rig.ts';
import { settle } from './settle.ts';

const PARTS = 10;
const LIVE_PER_SECOND = 200;
/** As rootfs/etc/init.d/redis has it. */
const redisArgs = ['--maxmemory', '256mb'];
const READY_LIMIT_MS = 300_000;
/** Of a busy machine; a quiet one drains more than 15,000 a second. */
const DRAINED_PER_SECOND_MIN = 300;

export const drill: Drill = {
  about:
    'N events while the broker is away, then drained while 200/s keep coming; memory, disk, flash, start-up time',
  rounds: 100_000,
  async run({ n, say }) {
    let failed = 0;
    for await (const faults of withCleanup(async function* (t) {
      yield await offline(t, Math.max(2 * PARTS, n), say);
    }))
      failed += faults;
    return failed;
  },
};

async function offline(t: Cleanup, n: number, say: (line: string) => void): Promise<number> {
  const rig = await startRig(t, { redisArgs, isAccounted: false, environment: inspectorEnvironment });
  let acknowledged = 0;
  const { onAcknowledged } = rig.tap;
  rig.tap.onAcknowledged = (entries) => {
    acknowledged += entries.length;
    onAcknowledged?.(entries);
  };
  await rig.broker.stop();
  const startMs = [await startedIn(rig)];
  const flood = openFlood(t, rig.bus.monitorCommand.at(-1) ?? '', () => acknowledged);
  const flashBytes = await startFlashMeter(rig);
  const step = 2 * Math.ceil(n / PARTS / 2);
  let began = performance.now();
  for (let part = 1; part <= PARTS; part += 1) {
    await flood.send(step);
    const seconds = (performance.now() - began) / 1_000;
    const perEvent = ((await flashBytes()) / acknowledged).toFixed(0);
    say(
      `${part * step} stored (${Math.round((part * step) / seconds)}/s): ${resourcesText(await readResources(rig))}; flash ${perEvent} bytes an event`,
    );
  }
  await rig.stopDaemon();
  const redisBegan = performance.now();
  await rig.redis.restart();
  const redisMs = performance.now() - redisBegan;
  startMs.push(await startedIn(rig));
  say(
    `the daemon is ready after ${startMs.map((ms) => `${(ms / 1_000).toFixed(2)} s`).join(' with nothing stored, and after ')} with ${acknowledged} events; Redis itself restarts in ${(redisMs / 1_000).toFixed(2)} s`,
  );

  const ending = new AbortController();
  const live = flood.trickle(LIVE_PER_SECOND, ending.signal);
  const before = (await rig.checker.counts()).missing;
  await rig.broker.restart();
  began = performance.now();
  let peakMB = 0;
  const isCaughtUp = async () => {
    peakMB = Math.max(peakMB, readPssMB(rig.daemon.child.pid ?? 0));
    // As many as come within two seconds are always on their way.
    return (await rig.checker.counts()).missing <= 2 * LIVE_PER_SECOND;
  };
  await until('the backlog has arrived', isCaughtUp, 120_000 + (1_000 * n) / DRAINED_PER_SECOND_MIN);
  const seconds = (performance.now() - began) / 1_000;
  ending.abort();
  say(
    `${before} drained in ${seconds.toFixed(1)} s (${Math.round(before / seconds)}/s) while ${await live} live ones came; daemon at most ${peakMB.toFixed(1)} MB`,
  );
  const failed = await settle(rig, 120_000, say);
  await delay(2_000);
  say(`afterwards: ${resourcesText(await readResources(rig))}`);
  for (const crash of rig.crashes) say(crash);
  return failed + rig.crashes.length;
}

/** Milliseconds from the start of the process until it says that it is ready. */
async function startedIn(rig: Rig): Promise<number> {
  const began = performance.now();
  rig.startDaemon();
  await until(
    'the daemon is ready',
    async () => {
      const url = rig.daemon.log.find((line) => typeof line.url === 'string')?.url;
      return typeof url === 'string' && (await fetch(`${url}/ready`)).ok;
    },
    READY_LIMIT_MS,
  );
  return performance.now() - began;
}
