// A data partition after a power cut -> what the appliance would find on it: repaired with e2fsck as the image's `mount-data` does, the
// store loaded by the shipped redis-run. Needs no guest.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseMarkFile } from '../../../src/buffer/mark-slots.ts';
import { parseEntry } from '../../../src/buffer/stored-entry.ts';
import { type EventId, formatEventId, parseEventId, START } from '../../../src/contracts/event.ts';
import { contentCrc } from '../../support/checker/record-lines.ts';
import { startRedis } from '../../support/redis.ts';
import { respItems, respWords } from '../../support/resp.ts';
import { tempDir } from '../../support/temp-dir.ts';
import type { Cleanup } from '../../support/with-cleanup.ts';
import { askRedis } from '../ask-redis.ts';

export interface FoundStore {
  /** Exit code of the first e2fsck; 4 and more: a second, forced one was needed. */
  readonly fsck: number;
  /** What redis-run had to say. */
  readonly redisRun: readonly string[];
  /** id -> CRC of its content. */
  readonly events: ReadonlyMap<string, string>;
  readonly damaged: readonly string[];
  /** Everything up to here is delivered. */
  readonly cursor: EventId;
  /** Generation and highest number that may have been published; START when there is no mark file. */
  readonly mark: EventId;
}

/** `programs`: a folder with the Redis that wrote it (test/support/redis-of-root.ts); left out: this machine's. */
export async function inspectDisk(t: Cleanup, disk: string, programs?: string): Promise<FoundStore> {
  const dir = await tempDir(t);
  const fsck = run('e2fsck', ['-p', disk]);
  if (fsck.status >= 4) {
    const forced = run('e2fsck', ['-y', '-f', disk]);
    if (forced.status >= 4) throw new Error(`e2fsck cannot repair ${disk}: ${forced.output}`);
  }
  for (const folder of ['redis', 'autoweave']) {
    // It makes the folder itself, and leaves one that exists alone; before the first start there may be none.
    run('debugfs', ['-R', `rdump /lib/${folder} ${dir}`, disk]);
    mkdirSync(path.join(dir, folder), { recursive: true });
  }
  const mark = readMark(path.join(dir, 'autoweave/buffer-mark'));
  const redis = await startRedis(t, {
    dir: path.join(dir, 'redis'),
    ...(programs === undefined ? {} : { programs }),
  });
  const entries = respItems(await askRedis(redis.socket, ['XRANGE', 'aw:events', '-', '+']));
  const events = new Map<string, string>();
  const damaged: string[] = [];
  for (const entry of entries) {
    const [id, fields] = respItems(entry);
    if (id === undefined || fields === undefined) continue;
    const idText = bulk(id);
    const parsed = parseEntry([idText, respWords(fields).map((word) => word.toString())]);
    if (parsed.ok) events.set(idText, contentCrc(parsed.event.json));
    else damaged.push(formatEventId(parsed.id));
  }
  const cursors = respWords(await askRedis(redis.socket, ['HGETALL', 'aw:cursors'])).map(String);
  const cursor = parseEventId(cursors[cursors.indexOf('uplink') + 1] ?? '') ?? START;
  const redisRun = redis.output.split('\n').filter((line) => line.startsWith('redis-run: '));
  await redis.kill();
  return {
    fsck: fsck.status,
    redisRun,
    events,
    damaged,
    cursor: cursors.length === 0 ? START : cursor,
    mark,
  };
}

function bulk(item: Buffer): string {
  return item.toString('utf8', item.indexOf('\r\n') + 2, item.length - 2);
}

function readMark(file: string): EventId {
  if (!existsSync(file)) return START;
  const { mark } = parseMarkFile(readFileSync(file));
  return mark === null ? START : { generation: mark.generation, number: mark.published };
}

function run(program: string, args: readonly string[]) {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8' });
  if (error !== undefined) throw new Error(`${program} cannot be run: ${error.message}; install e2fsprogs`);
  return { status: status ?? 128, output: stdout + stderr };
}
