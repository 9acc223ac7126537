// [B4] Every way in which a Redis fails, one after the other, while devices come and go: what is said, how long it takes until events
// are stored again, and that nothing acknowledged is missing that no event tells of.
import { appendFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { seededRandom } from '../support/seeded-random.ts';
import { mountSmallDisk, noSmallDisk } from '../support/small-disk.ts';
import { until } from '../support/until.ts';
import { type Cleanup, withCleanup } from '../support/with-cleanup.ts';
import { askRedis } from './ask-redis.ts';
import type { Drill } from './drill.ts';
import { startPlugFeed } from './plug-feed.ts';
import { type Fault, type FaultyStore, faults } from './redis-faults/faults.ts';
import { type Rig, type RigOptions, startRig } from './rig.ts';
import { settle } from './settle.ts';

const FEED_EVERY_MS = 20;
/** As rootfs/etc/init.d/redis has it. */
const RESPAWN_MS = 1_000;
const LIMIT_MS = 120_000;
/** Enough of a store to be damaged in its middle. */
const EVENTS_BEFORE = 300;

export const drill: Drill = {
  about: 'every way in which Redis fails: what is said, time to recover, nothing missing that is not told',
  rounds: faults.length,
  /** The seed says with which one it begins. */
  async run({ n, seed, say }) {
    let failed = 0;
    for (let round = 0; round < n; round += 1) {
      const fault = faults[(seed + round - 1) % faults.length];
      if (fault === undefined) break;
      if (fault.disk !== null && noSmallDisk !== false) {
        say(`${fault.name}: left out: ${noSmallDisk}`);
        continue;
      }
      for await (const count of withCleanup(async function* (t) {
        yield await tryFault(t, fault, { seed: seed + round, say });
      }))
        failed += count === 0 ? 0 : 1;
    }
    return failed;
  },
};

async function tryFault(
  t: Cleanup,
  fault: Fault,
  { seed, say }: { readonly seed: number; readonly say: (line: string) => void },
): Promise<number> {
  const disk = fault.disk === null ? '' : await mountSmallDisk(t, fault.disk.mib);
  const rig = await startRig(t, onDisk(fault, disk));
  const supervised = supervise(t, rig);
  let acknowledged = 0;
  const { onAcknowledged } = rig.tap;
  rig.tap.onAcknowledged = (entries) => {
    acknowledged += entries.length;
    onAcknowledged?.(entries);
  };
  rig.startDaemon();
  const feed = startPlugFeed({ ...rig, random: seededRandom(seed), everyMs: FEED_EVERY_MS });
  t.after(() => feed.stop());
  await until('the store holds something', () => acknowledged >= EVENTS_BEFORE / 2, LIMIT_MS);
  if (fault.withBacklog) await rig.broker.stop();
  await until('the store holds enough', () => acknowledged >= EVENTS_BEFORE, LIMIT_MS);

  const words = watchHealth(t, rig);
  const store: FaultyStore = {
    rig,
    admin: (...command) => askRedis(rig.redis.socket, command),
    health: () => healthOf(rig),
    archiveFolder: path.join(disk, 'state/archive'),
    ...fillable(path.join(disk, 'filler')),
    whileDead: supervised.whileDead,
  };
  const began = performance.now();
  await fault.run(store);
  const over = performance.now();
  const before = acknowledged;
  await until('events are stored again', () => acknowledged > before, LIMIT_MS);
  const back = performance.now();
  await until('the health is good again', async () => (await healthOf(rig)).startsWith('ok'), LIMIT_MS);
  if (fault.withBacklog) await rig.broker.restart();
  await feed.stop();

  say(
    `${fault.name}: lasted ${seconds(over - began)}, events stored again ${seconds(back - over)} after its end`,
  );
  const said = words().filter((each) => !each.startsWith('ok'));
  for (const word of said.length === 0 ? ['ok throughout: Redis answered in time'] : said)
    say(`    health: ${word}`);
  for (const line of rig.redis.output.split('\n').filter((each) => each.startsWith('redis-run: ')))
    say(`    ${line.replaceAll(rig.dir, '').replaceAll(path.dirname(rig.redis.dir), '')}`);
  const failed = await settle(rig, LIMIT_MS, (line) => say(`    ${line}`), {
    isStoreLost: fault.withBacklog,
  });
  for (const { id, type, data } of rig.account.bufferEvents)
    say(`    event ${id} ${type} ${JSON.stringify(data)}`);
  for (const crash of rig.crashes) say(`    ${crash}`);
  return failed + rig.crashes.length;
}

function onDisk({ disk }: Fault, folder: string): RigOptions {
  if (disk === null) return {};
  if (disk.holds === 'store') return { redisDir: path.join(folder, 'data') };
  // What the drill plugs is soon more than Redis may hold, and nothing is kept free for others.
  const buffer = { memoryMaxBytes: 1_048_576, archiveKeepFreeBytes: 0 };
  return { config: { appliance: { stateDir: path.join(folder, 'state') }, buffer } };
}

function fillable(file: string): Pick<FaultyStore, 'fillDisk' | 'clearDisk'> {
  return {
    async fillDisk() {
      try {
        for (;;) await appendFile(file, Buffer.alloc(4_096));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      }
    },
    clearDisk: () => rm(file),
  };
}

/** Starts Redis again whenever it ends, as the appliance's init does. */
function supervise(t: Cleanup, { redis }: Rig): Pick<FaultyStore, 'whileDead'> {
  let isOver = false;
  let change: (() => Promise<void>) | null = null;
  let changed: (() => void) | undefined;
  const loop = async () => {
    for (;;) {
      await redis.ended();
      if (isOver) return;
      if (change !== null) {
        await change();
        change = null;
        changed?.();
      }
      await delay(RESPAWN_MS);
      // It may end at once, as on a full disk; then it is started once more.
      await redis.start().catch(() => undefined);
    }
  };
  const running = loop();
  t.after(async () => {
    isOver = true;
    await redis.kill();
    await running;
  });
  return {
    async whileDead(make) {
      const done = Promise.withResolvers<void>();
      changed = done.resolve;
      change = make;
      await redis.kill();
      await done.promise;
    },
  };
}

async function healthOf(rig: Rig): Promise<string> {
  const url = rig.daemon.log.find((line) => typeof line.url === 'string')?.url;
  if (typeof url !== 'string') return 'unknown: no page yet';
  const { parts } = (await (await fetch(`${url}/health`)).json()) as {
    readonly parts: Readonly<Record<string, { readonly state: string; readonly why: string }>>;
  };
  return `${parts.buffer?.state}: ${parts.buffer?.why}`;
}

/** What the health says, each text once. */
function watchHealth(t: Cleanup, rig: Rig): () => readonly string[] {
  const words = new Set<string>();
  const ending = new AbortController();
  const watch = async () => {
    while (!ending.signal.aborted) {
      words.add((await healthOf(rig)).replaceAll(rig.dir, '').replaceAll(rig.tap.socket, 'SOCKET'));
      await delay(50);
    }
  };
  const watching = watch().catch((error: unknown) => void words.add(`no answer: ${String(error)}`));
  t.after(async () => {
    ending.abort();
    await watching;
  });
  return () => [...words];
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(2)} s`;
}
