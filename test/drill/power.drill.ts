// [B5] A guest works while everything its disk is told is recorded. Then the power is cut at N flushes: the record is replayed up to
// there, with a random part of what was written after it, and the disk must hold everything that had been acknowledged by then. Each
// disk is repaired and its store loaded on the host; every tenth is also booted, and must deliver what it holds by itself.
import { copyFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { runCommand } from '../../image/run-command.ts';
import { buildGuestImage, whyNoGuest } from '../support/guest-image.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { tempDir } from '../support/temp-dir.ts';
import { withCleanup } from '../support/with-cleanup.ts';
import type { Drill } from './drill.ts';
import { bootDisk } from './power/boot-disk.ts';
import { inspectDisk } from './power/inspect-disk.ts';
import { judgeDisk } from './power/judge-disk.ts';
import { recordRun } from './power/record-run.ts';
import { choosePowerCuts, readWriteLog, replayWrites } from './power/write-log.ts';

const BOOT_EVERY = 10;
const FIRST_FAULTS = 5;

export const drill: Drill = {
  about:
    'power cuts at recorded flushes of the data disk, some with a part of the writes after it; 0 acknowledged lost',
  rounds: 200,
  async run({ n, seed, say }) {
    const why = whyNoGuest();
    if (why !== false) throw new Error(`the drill needs the guest: ${why}`);
    const image = await buildGuestImage();
    const random = seededRandom(seed);
    let failed = 0;
    for await (const faults of withCleanup(async function* (t) {
      const dir = await tempDir(t);
      const run = await recordRun(t, { image, dir, plugs: n < 20 ? 30 : 150, say });
      const writes = readWriteLog(run.writeLog);
      const flushes = writes.filter(({ isFlush }) => isFlush).length;
      const cuts = choosePowerCuts(writes, n, random);
      say(`${writes.length} records, ${flushes} of them flushes; the power is cut at ${cuts.length}`);
      const counts = { booted: 0, torn: 0, acknowledged: 0, repairs: 0 };
      let replayed = 0;
      for (const [round, { flushed, until }] of cuts.entries()) {
        replayWrites(run.writeLog, run.diskBefore, writes.slice(replayed, flushed));
        replayed = flushed;
        const folder = path.join(dir, 'cut');
        rmSync(folder, { recursive: true, force: true });
        await runCommand('mkdir', ['-p', folder], { remedy: 'free space' });
        const disk = path.join(folder, 'data.img');
        await runCommand('cp', ['--sparse=always', run.diskBefore, disk], { remedy: 'free space' });
        // Every other time the cache had got a part of the next writes to the disk already, in whatever order.
        const isTorn = round % 2 === 1;
        if (isTorn)
          replayWrites(run.writeLog, disk, writes.slice(flushed, until), () => random.integer(2) === 0);
        if (isTorn) counts.torn += 1;
        const bootable = path.join(folder, 'bootable.img');
        const isBooted = round % BOOT_EVERY === BOOT_EVERY - 1 || (n < BOOT_EVERY && round === n - 1);
        if (isBooted) copyFileSync(disk, bootable);

        const cutAt = writes[flushed - 1]?.end ?? 0;
        const faults: string[] = [];
        for await (const more of withCleanup(async function* (inner) {
          const found = await inspectDisk(inner, disk);
          const verdict = judgeDisk(run, found, cutAt);
          counts.acknowledged = Math.max(counts.acknowledged, verdict.acknowledged);
          if (found.fsck > 0) counts.repairs += 1;
          yield verdict.faults;
          if (!isBooted) return;
          copyFileSync(bootable, disk);
          counts.booted += 1;
          yield await bootDisk(inner, { image, dir: folder, found, say });
        }))
          faults.push(...more);
        const where = `cut ${round} (record ${flushed} of ${writes.length}${isTorn ? ', torn' : ''})`;
        for (const fault of faults.slice(0, FIRST_FAULTS)) say(`${where}: ${fault}`);
        if (faults.length > 0) failed += 1;
        if ((round + 1) % 20 === 0) say(`${round + 1} power cuts, ${counts.booted} booted, ${failed} failed`);
      }
      say(
        `${cuts.length} power cuts (${counts.torn} with a part of the later writes), ${counts.booted} booted; ${counts.repairs} disks needed e2fsck's hand; up to ${counts.acknowledged} acknowledged events expected`,
      );
      yield failed;
    }))
      failed = faults;
    return failed;
  },
};
