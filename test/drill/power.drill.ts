// [B5] A guest works while everything its disk is told is recorded. Then the power is cut at N flushes: the record is replayed up to
// there, with a random part of what was written after it, and the disk must hold everything that had been acknowledged by then. Each
// disk is repaired and its store loaded on the host; every tenth is also booted, and must deliver what it holds by itself.
import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { BuiltRoot } from '../../image/build-root.ts';
import { runCommand } from '../../image/run-command.ts';
import { buildGuestImage, whyNoGuest } from '../support/guest-image.ts';
import { redisOfRoot } from '../support/redis-of-root.ts';
import { type SeededRandom, seededRandom } from '../support/seeded-random.ts';
import { tempDir } from '../support/temp-dir.ts';
import { type Cleanup, withCleanup } from '../support/with-cleanup.ts';
import type { Drill } from './drill.ts';
import { bootDisk } from './power/boot-disk.ts';
import { type FoundStore, inspectDisk } from './power/inspect-disk.ts';
import { judgeDisk } from './power/judge-disk.ts';
import { type RecordedRun, recordRun } from './power/record-run.ts';
import { choosePowerCuts, type LoggedWrite, readWriteLog, replayWrites } from './power/write-log.ts';

const BOOT_EVERY = 10;
/** There are a few more flushes than plugs. */
const LEAST_PLUGS = 30;
const FIRST_FAULTS = 5;

type Say = (line: string) => void;

export const drill: Drill = {
  about:
    'power cuts at recorded flushes of the data disk, some with a part of the writes after it; 0 acknowledged lost',
  rounds: 200,
  async run({ n, seed, say }) {
    const why = whyNoGuest();
    if (why !== false) throw new Error(`the drill needs the guest: ${why}`);
    const image = await buildGuestImage();
    let failed = 0;
    for await (const faults of withCleanup(async function* (t) {
      const dir = await tempDir(t);
      const plugs = Math.max(LEAST_PLUGS, n);
      const run = await recorded({ image, dir, plugs, say });
      const programs = redisOfRoot(image, path.join(dir, 'programs'));
      const cuts = await cutPower(run, { dir, programs, n, random: seededRandom(seed), say });
      yield cuts.failed;
      yield await bootEach(cuts.toBoot, image, say);
    }))
      failed += faults;
    return failed;
  },
};

/** With servers and a guest of its own, gone before the disks are looked at. */
async function recorded(options: Parameters<typeof recordRun>[1]): Promise<RecordedRun> {
  for await (const run of withCleanup(async function* (t) {
    yield await recordRun(t, options);
  }))
    return run;
  throw new Error('nothing was recorded');
}

interface DiskToBoot {
  readonly where: string;
  /** Holds the disk as data.img. */
  readonly dir: string;
  readonly found: FoundStore;
}

async function cutPower(
  run: RecordedRun,
  options: {
    readonly dir: string;
    readonly programs: string;
    readonly n: number;
    readonly random: SeededRandom;
    readonly say: Say;
  },
): Promise<{ readonly failed: number; readonly toBoot: readonly DiskToBoot[] }> {
  const { dir, programs, n, random, say } = options;
  const writes = readWriteLog(run.writeLog);
  const cuts = choosePowerCuts(writes, n, random);
  say(`${writes.length} records, ${writes.filter(({ isFlush }) => isFlush).length} of them flushes`);
  const toBoot: DiskToBoot[] = [];
  const counts = { failed: 0, torn: 0, repaired: 0, acknowledged: 0 };
  let replayed = 0;
  for (const [round, { flushed, until }] of cuts.entries()) {
    replayWrites(run.writeLog, run.diskBefore, writes.slice(replayed, flushed));
    replayed = flushed;
    const folder = path.join(dir, `cut-${round}`);
    mkdirSync(folder);
    const disk = path.join(folder, 'data.img');
    await copyDisk(run.diskBefore, disk);
    // Every other time the cache had got a part of the next writes to the disk already, in whatever order.
    const isTorn = round % 2 === 1;
    if (isTorn) replayWrites(run.writeLog, disk, writes.slice(flushed, until), () => random.integer(2) === 0);
    if (isTorn) counts.torn += 1;
    const isBooted = isLastOf(BOOT_EVERY, round) || (cuts.length < BOOT_EVERY && round === cuts.length - 1);
    const looked = path.join(folder, 'looked-at.img');
    await copyDisk(disk, looked);
    const where = `cut ${round} (record ${flushed} of ${writes.length}${isTorn ? ', torn' : ''})`;
    const { found, faults, acknowledged } = await look(run, {
      disk: looked,
      programs,
      cutAt: endOf(writes, flushed),
    });
    for (const fault of faults.slice(0, FIRST_FAULTS)) say(`${where}: ${fault}`);
    if (faults.length > 0) counts.failed += 1;
    if (found.fsck >= 4) counts.repaired += 1;
    counts.acknowledged = Math.max(counts.acknowledged, acknowledged);
    rmSync(looked);
    if (isBooted) toBoot.push({ where, dir: folder, found });
    else rmSync(folder, { recursive: true });
    if (isLastOf(20, round)) say(`${round + 1} power cuts, ${counts.failed} failed`);
  }
  say(
    `${cuts.length} power cuts, ${counts.torn} of them with a part of the later writes: ${counts.failed} failed; up to ${counts.acknowledged} acknowledged events expected; ${counts.repaired} disks needed more than their journal`,
  );
  return { failed: counts.failed, toBoot };
}

async function look(
  run: RecordedRun,
  { disk, programs, cutAt }: { readonly disk: string; readonly programs: string; readonly cutAt: number },
) {
  for await (const looked of withCleanup(async function* (t: Cleanup) {
    const found = await inspectDisk(t, disk, programs);
    yield { found, ...judgeDisk(run, found, cutAt) };
  }))
    return looked;
  throw new Error('nothing was looked at');
}

async function bootEach(disks: readonly DiskToBoot[], image: BuiltRoot, say: Say): Promise<number> {
  let failed = 0;
  for (const { where, dir, found } of disks)
    for await (const faults of withCleanup(async function* (t) {
      yield await bootDisk(t, { image, dir, found, say: (line) => say(`${where}: ${line}`) });
    })) {
      for (const fault of faults.slice(0, FIRST_FAULTS)) say(`${where}: ${fault}`);
      if (faults.length > 0) failed += 1;
    }
  say(`${disks.length} of these disks booted, ${failed} failed`);
  return failed;
}

function copyDisk(from: string, to: string): Promise<unknown> {
  return runCommand('cp', ['--sparse=always', from, to], { remedy: 'free space and run the drill again' });
}

function endOf(writes: readonly LoggedWrite[], count: number): number {
  return writes[count - 1]?.end ?? 0;
}

function isLastOf(every: number, round: number): boolean {
  return round % every === every - 1;
}
