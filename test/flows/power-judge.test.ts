// The parts of the power drill that need no guest: the record of a disk's writes as QEMU makes it, its replay, and the judgement of a disk.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  constants,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { toSlot } from '../../src/buffer/mark-slots.ts';
import { entryChecksum } from '../../src/buffer/stored-entry.ts';
import { askRedis } from '../drill/ask-redis.ts';
import { type FoundStore, inspectDisk } from '../drill/power/inspect-disk.ts';
import { judgeDisk } from '../drill/power/judge-disk.ts';
import type { RecordedRun } from '../drill/power/record-run.ts';
import { choosePowerCuts, readWriteLog, replayWrites } from '../drill/power/write-log.ts';
import { contentCrc } from '../support/checker/record-lines.ts';
import { startRedis } from '../support/redis.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';

const MIB = 1_048_576;
const noExport = (() => {
  try {
    execFileSync('qemu-storage-daemon', ['--version'], { stdio: 'ignore' });
    closeSync(openSync('/dev/fuse', 'r+'));
    return false;
  } catch (error) {
    return `a recorded disk without a guest needs qemu-storage-daemon and /dev/fuse: ${(error as Error).message}`;
  }
})();

/** A disk that can be written as a file; every write and flush is recorded by QEMU. */
async function recordedDisk(t: TestContext, dir: string) {
  const at = (name: string) => path.join(dir, name);
  for (const name of ['disk', 'log', 'mounted']) writeFileSync(at(name), '');
  truncateSync(at('disk'), MIB);
  const file = (node: string, name: string) => `driver=file,node-name=${node},filename=${at(name)}`;
  const daemon = spawn(
    'qemu-storage-daemon',
    [
      ...['--blockdev', file('f', 'disk'), '--blockdev', file('l', 'log')],
      ...['--blockdev', 'driver=blklogwrites,node-name=logged,file=f,log=l,log-sector-size=512'],
      ...['--export', `type=fuse,id=e,node-name=logged,mountpoint=${at('mounted')},writable=on`],
    ],
    { stdio: ['ignore', 'inherit', 'inherit'] },
  );
  const ended = once(daemon, 'exit');
  const stop = async () => {
    daemon.kill('SIGTERM');
    await ended;
  };
  t.after(stop);
  await until('the disk is there', () => statSync(at('mounted')).size === MIB);
  return { disk: at('disk'), log: at('log'), mounted: at('mounted'), stop };
}

test('the writes that QEMU recorded, done again up to a flush, give the disk as it was then [B5]', {
  skip: noExport,
}, async (t) => {
  const dir = await tempDir(t);
  const { disk, log, mounted, stop } = await recordedDisk(t, dir);
  const random = seededRandom(1);
  const states: Buffer[] = [];
  const open = openSync(mounted, constants.O_RDWR);
  for (let flush = 0; flush < 5; flush += 1) {
    for (let write = 0; write < 4; write += 1) {
      const data = Buffer.alloc(4_096, `${flush}.${write} `);
      writeSync(open, data, 0, data.length, 4_096 * random.integer(MIB / 4_096));
    }
    fsyncSync(open);
    states.push(readFileSync(disk));
  }
  closeSync(open);
  await stop();
  const writes = readWriteLog(log);
  const cuts = choosePowerCuts(writes, 5, random);
  assert.equal(cuts.length, 5);
  const replayed = path.join(dir, 'replayed');
  writeFileSync(replayed, Buffer.alloc(MIB));
  let done = 0;
  for (const [index, { flushed }] of cuts.entries()) {
    replayWrites(log, replayed, writes.slice(done, flushed));
    done = flushed;
    assert.deepEqual(readFileSync(replayed), states[index], `after flush ${index}`);
  }
});

const json = (number: number) => JSON.stringify({ id: `7-${number}`, type: 'usb.device.added', data: {} });
const idOf = (number: number) => `7-${number}`;

/** Numbers 3 to 20 in the store, everything up to 5 delivered, up to 8 allowed to be published. */
async function storeOnDisk(t: TestContext): Promise<FoundStore> {
  const dir = await tempDir(t);
  const redis = await startRedis(t, { dir: path.join(dir, 'root/lib/redis') });
  for (let number = 3; number <= 20; number += 1) {
    const fields = ['e', json(number), 'c', entryChecksum(idOf(number), json(number))];
    await askRedis(redis.socket, ['XADD', 'aw:events', idOf(number), ...fields]);
  }
  await askRedis(redis.socket, ['HSET', 'aw:cursors', 'uplink', idOf(5)]);
  await redis.kill();
  mkdirSync(path.join(dir, 'root/lib/autoweave'));
  const slot = toSlot({ seq: 2, generation: 7, published: 8, stored: 20 });
  writeFileSync(path.join(dir, 'root/lib/autoweave/buffer-mark'), Buffer.concat([slot, slot]));
  const disk = path.join(dir, 'data.img');
  execFileSync('mke2fs', ['-q', '-t', 'ext4', '-d', path.join(dir, 'root'), disk, '32M']);
  return inspectDisk(t, disk);
}

test('what was acknowledged is looked for on the disk, and each planted fault is found [B5]', async (t) => {
  const found = await storeOnDisk(t);
  assert.deepEqual([...found.events.keys()].at(0), '7-3');
  assert.equal(found.events.size, 18);
  assert.deepEqual(
    [found.cursor, found.mark],
    [
      { generation: 7, number: 5 },
      { generation: 7, number: 8 },
    ],
  );
  const known = (from: number, to: number) =>
    Array.from({ length: to - from + 1 }, (_, index) => ({
      ...{ source: 's', id: idOf(from + index), crc: contentCrc(json(from + index)) },
      position: 100 * (from + index),
    }));
  const run: RecordedRun = {
    ...{ diskBefore: '', writeLog: '' },
    acknowledged: known(1, 21),
    published: known(1, 9),
    confirmed: known(1, 5),
  };
  const faultsOf = (change: Partial<RecordedRun>, cutAt: number) =>
    judgeDisk({ ...run, ...change }, found, cutAt).faults;
  assert.deepEqual(faultsOf({}, 899), []);
  assert.deepEqual(judgeDisk(run, found, 899).acknowledged, 8);
  assert.deepEqual(faultsOf({ published: [] }, 2_100), ['7-21 was acknowledged and is lost']);
  assert.deepEqual(faultsOf({}, 900), ['the mark says 7-8, 7-9 had been published']);
  assert.deepEqual(faultsOf({ confirmed: known(1, 4) }, 899), [
    'the cursor stands at 7-5, the broker had confirmed up to 7-4',
  ]);
  const other = run.acknowledged.map((one) => (one.id === '7-6' ? { ...one, crc: '00000000' } : one));
  assert.deepEqual(faultsOf({ acknowledged: other }, 899), ['7-6 has other content']);
});
