// What the daemon and Redis take: memory, disk, and bytes written to it since the counting began.
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { askRedis } from '../ask-redis.ts';
import { readLiveMemory, readPssMB } from '../live-memory.ts';
import type { Rig } from '../rig.ts';

export interface Resources {
  readonly daemonMB: number;
  /** Of the daemon's JavaScript, after a collection. */
  readonly liveHeapMB: number;
  readonly redisMB: number;
  readonly redisDiskMB: number;
  readonly archiveDiskMB: number;
}

export async function readResources(rig: Rig): Promise<Resources> {
  const { child, complaints } = rig.daemon;
  const daemonMB = readPssMB(child.pid ?? 0);
  return {
    daemonMB,
    liveHeapMB: (await readLiveMemory(child.pid ?? 0, complaints)).heapMB,
    redisMB: readPssMB(rig.redis.pid),
    redisDiskMB: folderBytes(rig.redis.dir) / 1e6,
    archiveDiskMB: folderBytes(path.join(rig.dir, 'state')) / 1e6,
  };
}

export function resourcesText({
  daemonMB,
  liveHeapMB,
  redisMB,
  redisDiskMB,
  archiveDiskMB,
}: Resources): string {
  const mb = (value: number) => `${value.toFixed(1)} MB`;
  return `daemon ${mb(daemonMB)} (live heap ${mb(liveHeapMB)}), Redis ${mb(redisMB)}; on disk: Redis ${mb(redisDiskMB)}, archive ${mb(archiveDiskMB)}`;
}

/** Allocated blocks: what a sparse or a deleted part takes does not count. A file may disappear meanwhile. */
function folderBytes(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).reduce((sum, entry) => {
    try {
      return sum + 512 * (lstatSync(path.join(entry.parentPath, entry.name)).blocks ?? 0);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      return sum;
    }
  }, 0);
}

/** Bytes written to disk since now, those of Redis's rewriting children included; no process may be restarted meanwhile. */
export async function startFlashMeter(rig: Rig): Promise<() => Promise<number>> {
  const own = () => writtenBy(rig.daemon.child.pid ?? 0) + writtenBy(rig.redis.pid);
  const from = own();
  let rewritten = 0;
  let before = await rewritesOf(rig);
  return async () => {
    const now = await rewritesOf(rig);
    // A rewrite is done by a child of Redis, whose count nobody keeps: it has written the new base once.
    rewritten += Math.max(0, now.count - before.count) * now.baseBytes;
    before = now;
    return rewritten + own() - from;
  };
}

function writtenBy(pid: number): number {
  return Number(/^write_bytes: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1] ?? 0);
}

async function rewritesOf({ redis }: Rig): Promise<{ readonly count: number; readonly baseBytes: number }> {
  const info = (await askRedis(redis.socket, ['INFO', 'persistence'])).toString();
  const field = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1] ?? 0);
  return { count: field('aof_rewrites'), baseBytes: field('aof_base_size') };
}
