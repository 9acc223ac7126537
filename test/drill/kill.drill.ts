// [B5] Daemon, Redis or both are killed with SIGKILL at named points while devices come and go: nothing acknowledged may be lost,
// repeated under another id or reordered, and every plug must arrive once.
import { setTimeout as delay } from 'node:timers/promises';
import { type SeededRandom, seededRandom } from '../support/seeded-random.ts';
import { until } from '../support/until.ts';
import { type Cleanup, withCleanup } from '../support/with-cleanup.ts';
import type { Drill } from './drill.ts';
import { type Moment, type Phase, phases, strikeAt } from './kill/phases.ts';
import { type PlugFeed, startPlugFeed } from './plug-feed.ts';
import { type Rig, startRig } from './rig.ts';
import { settle } from './settle.ts';

type Victim = 'daemon' | 'Redis' | 'both';
const victims: readonly Victim[] = ['daemon', 'daemon', 'Redis', 'both'];

const FEED_EVERY_MS = 15;
/** A segment is written once there is a backlog of more than the smallest bound on memory. */
const BACKLOG_EVERY_MS = 1;
const smallest = { keepEvents: 20, memoryMaxBytes: 1_048_576 };
/** A quiet machine has the daemon publishing again after 0.5 s. */
const STRIKE_LIMIT_MS = 60_000;
/** The daemon empties it at a scan once it has 512 KiB; the helper writes no more than twice that. */
const SPOOL_BYTES = 600_000;
const SETTLE_LIMIT_MS = 180_000;

export const drill: Drill = {
  about: 'daemon, Redis or both killed at named points; 0 lost, 0 double, 0 out of order',
  rounds: 1_000,
  async run({ n, seed, say }) {
    let failed = 0;
    for await (const faults of withCleanup(async function* (t) {
      yield await killRounds(t, { n, seed, say });
    }))
      failed += faults;
    return failed;
  },
};

/** Returns the number of faults. */
async function killRounds(t: Cleanup, { n, seed, say }: Parameters<Drill['run']>[0]): Promise<number> {
  const random = seededRandom(seed);
  // Events leave the store soon, so that trims come often.
  const rig = await startRig(t, { config: { buffer: smallest, usb: { rescanSeconds: 5 } } });
  const counts = new Map<string, number>();
  const missed: string[] = [];
  rig.startDaemon();
  const feed = startPlugFeed({ ...rig, random: seededRandom(seed + 1), everyMs: FEED_EVERY_MS });
  t.after(() => feed.stop());
  const began = performance.now();
  for (let round = 0; round < n; round += 1) {
    const phase = inTurn[round % inTurn.length] ?? 'append';
    const victim = random.pick(victims);
    if (phase === 'segment write') {
      await rig.broker.stop();
      feed.setPace(BACKLOG_EVERY_MS);
    }
    const struck = await killOnce(rig, phase, victim, random);
    feed.setPace(FEED_EVERY_MS);
    if (!struck) {
      missed.push(`round ${round}: ${phase} did not come by within ${STRIKE_LIMIT_MS} ms`);
      break;
    }
    counts.set(`${phase}|${victim}`, (counts.get(`${phase}|${victim}`) ?? 0) + 1);
    await bringBack(rig, victim, random);
    if (phase === 'segment write') await rig.broker.restart();
    await keepSpoolSmall(rig, feed);
    if ((round + 1) % 100 === 0)
      say(
        `${round + 1} kills, ${rig.account.plugs} plugs, ${Math.round((performance.now() - began) / 1_000)} s`,
      );
    if (rig.crashes.length > 0) break;
  }
  return judgeAll(rig, feed, { say, counts, missed });
}

/** In turn, so that each phase gets its share of any number of rounds; a segment, which takes a backlog, in every second turn. */
const inTurn = [...phases, ...phases.filter((phase) => phase !== 'segment write')];

/** false: the point did not come by. */
async function killOnce(rig: Rig, phase: Phase, victim: Victim, random: SeededRandom): Promise<boolean> {
  const kill = () => {
    if (victim !== 'Redis') rig.killDaemon();
    if (victim !== 'daemon') void rig.redis.kill();
  };
  if (phase === 'start') {
    rig.killDaemon();
    await rig.daemon.exited;
    if (victim !== 'daemon') await rig.redis.kill();
    const restarted = victim === 'daemon' ? Promise.resolve() : rig.redis.start();
    rig.startDaemon();
    await delay(random.next() * 600);
    kill();
    // The kill may come while redis-run is still checking the log.
    await restarted.catch(() => undefined);
  } else {
    const moment = random.pick<Moment>(['before', 'after', 'answered']);
    const strike = strikeAt(rig, phase, { moment, skip: random.integer(8), random, kill });
    const limit = new AbortController();
    const late = delay(STRIKE_LIMIT_MS, false, { signal: limit.signal }).catch(() => false);
    const struck = await Promise.race([strike.done.then(() => true), late]);
    limit.abort();
    strike.cancel();
    if (!struck) return false;
  }
  return true;
}

/** Starts what is dead, in any order; what came and went meanwhile has left its traces in the spool alone. */
async function bringBack(rig: Rig, victim: Victim, random: SeededRandom): Promise<void> {
  const isDaemonDead = victim !== 'Redis';
  const isRedisDead = victim !== 'daemon';
  if (isDaemonDead) await rig.daemon.exited;
  if (isRedisDead) await rig.redis.ended();
  rig.tap.cut();
  rig.relay.cut();
  await delay(random.next() * 100);
  const daemonFirst = random.integer(2) === 0;
  if (isDaemonDead && daemonFirst) rig.startDaemon();
  if (isRedisDead) await rig.redis.start();
  if (isDaemonDead && !daemonFirst) rig.startDaemon();
}

/** A daemon that never lives for long cannot empty the spool, and the drill's has no limit: it is given the time. */
async function keepSpoolSmall(rig: Rig, feed: PlugFeed): Promise<void> {
  if (rig.spoolBytes() < SPOOL_BYTES) return;
  feed.pause();
  await until('the daemon has emptied the spool', () => rig.spoolBytes() < SPOOL_BYTES, STRIKE_LIMIT_MS);
  feed.goOn();
}

async function judgeAll(
  rig: Rig,
  feed: PlugFeed,
  {
    say,
    counts,
    missed,
  }: {
    readonly say: (line: string) => void;
    readonly counts: ReadonlyMap<string, number>;
    readonly missed: readonly string[];
  },
): Promise<number> {
  await feed.stop();
  const faults = await settle(rig, SETTLE_LIMIT_MS, say);
  const of = (phase: Phase, victim: Victim) => String(counts.get(`${phase}|${victim}`) ?? 0).padStart(7);
  say(`${'killed at'.padEnd(16)} daemon  Redis   both`);
  for (const phase of phases)
    say(
      `${phase.padEnd(16)}${(['daemon', 'Redis', 'both'] as const).map((victim) => of(phase, victim)).join('')}`,
    );
  for (const line of [...missed, ...rig.crashes]) say(line);
  if (faults > 0) for (const line of rig.journal) say(line);
  return faults + missed.length + rig.crashes.length;
}
