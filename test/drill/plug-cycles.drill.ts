// [U1] [Q1] Plug cycles, nine tenths of them on a bus of files and one tenth in the guest with every source there is; Redis hangs and
// the daemon is killed and restarted meanwhile. Each plug must arrive once, and memory must not grow.
import { setTimeout as delay } from 'node:timers/promises';
import { seededRandom } from '../support/seeded-random.ts';
import { until } from '../support/until.ts';
import { type Cleanup, withCleanup } from '../support/with-cleanup.ts';
import type { Drill } from './drill.ts';
import { inspectorEnvironment, type LiveMemory, readLiveMemory } from './live-memory.ts';
import { guestCycles } from './plug-cycles/guest-cycles.ts';
import { startPlugFeed } from './plug-feed.ts';
import { type Rig, startRig } from './rig.ts';
import { settle } from './settle.ts';

const FEED_EVERY_MS = 5;
const HUNG_MS = 7_000;
const GROWTH_MAX_MB = 0.3;
const GUEST_SHARE = 0.1;
/** Below it a growth cannot be told from noise. */
const CYCLES_TO_JUDGE_GROWTH = 4_000;

export const drill: Drill = {
  about:
    'plug cycles with a Redis hang and a daemon restart, a tenth of them in the guest; 0 lost, 0 double, memory growth',
  rounds: 10_000,
  async run({ n, seed, say }) {
    const inGuest = Math.floor(n * GUEST_SHARE);
    let failed = 0;
    for await (const faults of withCleanup(async function* (t) {
      yield await fileBusCycles(t, { n: n - inGuest, seed, say });
    }))
      failed += faults;
    for await (const faults of withCleanup(async function* (t) {
      yield await guestCycles(t, { n: inGuest, say });
    }))
      failed += faults;
    return failed;
  },
};

/** Exported for the short form without a guest. */
export async function fileBusCycles(
  t: Cleanup,
  { n, seed, say }: Parameters<Drill['run']>[0],
): Promise<number> {
  const rig = await startRig(t, { environment: inspectorEnvironment });
  rig.startDaemon();
  const feed = startPlugFeed({ ...rig, random: seededRandom(seed), everyMs: FEED_EVERY_MS });
  t.after(() => feed.stop());
  const plugs = (count: number) =>
    until(`${count} plugs`, () => rig.account.plugs >= count, 60_000 + count * 100);

  await plugs(Math.floor(n * 0.1));
  await rig.redis.kill('SIGSTOP');
  await delay(HUNG_MS);
  await rig.redis.kill('SIGCONT');
  say(`Redis hung for ${HUNG_MS / 1_000} s at plug ${rig.account.plugs}`);
  await plugs(Math.floor(n * 0.2));
  rig.killDaemon();
  await rig.daemon.exited;
  rig.startDaemon();
  say(`the daemon was killed and started again at plug ${rig.account.plugs}`);

  const samples: (readonly [plugs: number, memory: LiveMemory])[] = [];
  const step = Math.max(50, Math.min(1_000, Math.floor(n / 10)));
  for (let at = Math.ceil((n * 0.3) / step) * step; at <= n; at += step) {
    await plugs(at);
    const memory = await quietMemory(rig, feed);
    samples.push([rig.account.plugs, memory]);
    say(
      `${rig.account.plugs} plugs: live heap ${memory.heapMB.toFixed(2)} MB, PSS ${memory.pssMB.toFixed(1)} MB`,
    );
  }
  await plugs(n);
  await feed.stop();
  const failed = await settle(rig, 120_000, say);
  for (const crash of rig.crashes) say(crash);
  return failed + rig.crashes.length + judgeGrowth(samples, n, say);
}

/** With nothing on its way: what waits to be stored or sent is no growth. */
async function quietMemory(rig: Rig, feed: { pause(): void; goOn(): void }): Promise<LiveMemory> {
  feed.pause();
  await until('all is told', () => rig.account.faults().lost.length === 0, 120_000);
  const { child, complaints } = rig.daemon;
  const memory = await readLiveMemory(child.pid ?? 0, complaints);
  feed.goOn();
  return memory;
}

/** Returns the number of faults: 1 when the live heap grows by more than is allowed. */
function judgeGrowth(
  samples: readonly (readonly [plugs: number, memory: LiveMemory])[],
  n: number,
  say: (line: string) => void,
): number {
  if (n < CYCLES_TO_JUDGE_GROWTH) {
    say(`growth per 1,000 plug cycles: not told from noise below ${CYCLES_TO_JUDGE_GROWTH} cycles`);
    return 0;
  }
  const slope = (of: (memory: LiveMemory) => number) => {
    const mean = (values: readonly number[]) => values.reduce((sum, each) => sum + each, 0) / values.length;
    const [x, y] = [mean(samples.map(([at]) => at)), mean(samples.map(([, memory]) => of(memory)))];
    const over = samples.reduce((sum, [at, memory]) => sum + (at - x) * (of(memory) - y), 0);
    return (1_000 * over) / samples.reduce((sum, [at]) => sum + (at - x) ** 2, 0);
  };
  const [heap, pss] = [slope(({ heapMB }) => heapMB), slope(({ pssMB }) => pssMB)];
  say(
    `growth per 1,000 plug cycles: live heap ${heap.toFixed(3)} MB, PSS ${pss.toFixed(3)} MB (at most ${GROWTH_MAX_MB} MB of live heap)`,
  );
  return heap > GROWTH_MAX_MB ? 1 : 0;
}
