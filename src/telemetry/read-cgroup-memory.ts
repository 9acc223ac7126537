import { readFile } from 'node:fs/promises';
import path from 'node:path';

/**
 * Use and limit of this process's cgroup v2, or of that ancestor whose limit leaves the least room; null where no group
 * has a limit, or where there is no cgroup v2 to read.
 */
export async function readCgroupMemory({
  groupFile = '/proc/self/cgroup',
  root = '/sys/fs/cgroup',
}: {
  readonly groupFile?: string;
  readonly root?: string;
} = {}): Promise<{
  readonly usedBytes: number;
  readonly limitBytes: number;
} | null> {
  const [, group] = /^0::(\/.*)$/m.exec((await textOf(groupFile)) ?? '') ?? [];
  if (group === undefined || group.includes('..')) return null;
  let tightest: { readonly usedBytes: number; readonly limitBytes: number } | null = null;
  for (let at = group; at !== '/'; at = path.dirname(at)) {
    const limitBytes = Number(await textOf(path.join(root, at, 'memory.max')));
    const usedBytes = Number(await textOf(path.join(root, at, 'memory.current')));
    // "max" is not a number: no limit here.
    if (!(limitBytes > 0) || !Number.isFinite(usedBytes)) continue;
    if (tightest === null || limitBytes - usedBytes < tightest.limitBytes - tightest.usedBytes) {
      tightest = { usedBytes, limitBytes };
    }
  }
  return tightest;
}

async function textOf(file: string): Promise<string | null> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch {
    // No such controller or no right to read it: the same as no limit.
    return null;
  }
}
