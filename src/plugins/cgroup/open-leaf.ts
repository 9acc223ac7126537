// One cgroup for one plugin: made with all its limits, watched, killed whole, removed. Runs in the daemon.
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { errorText } from '../../lib/error-text.ts';
import { PluginError } from '../plugin-error.ts';
import type { LeafLimit } from './leaf-limits.ts';

/** After cgroup.kill the kernel needs a moment to take the processes down; under load it was seen to need 50 ms. */
const EMPTY_LIMIT_MS = 5_000;

export interface LeafUse {
  readonly memoryBytes: number;
  readonly memoryPeakBytes: number | null;
  readonly cpuUsec: number;
  readonly throttledUsec: number;
  readonly processes: number;
  /** Times that the memory limit ended the group. */
  readonly oomKills: number;
  /** Times that a process or thread was refused. */
  readonly refusedPids: number;
}

export interface Leaf {
  readonly dir: string;
  use(): Promise<LeafUse>;
  processes(): Promise<readonly number[]>;
  /** Ends every process in it, whatever they do, and resolves once they are gone. */
  kill(): Promise<void>;
  /** Kills, then takes the cgroup away. */
  remove(): Promise<void>;
}

/** @throws PluginError `plugins.limit-not-set` which names the limit; nothing is left behind then. */
export async function openLeaf(branch: string, name: string, limits: readonly LeafLimit[]): Promise<Leaf> {
  const dir = path.join(branch, name);
  const leaf = leafAt(dir);
  try {
    await mkdir(dir);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST')
      throw new PluginError('plugins.limit-not-set', `make the cgroup ${dir}: ${errorText(cause)}`, {
        cause,
      });
    // Left by a daemon that was killed: what still runs in it has no parent.
    await leaf.kill();
  }
  for (const limit of limits) await setLimit(leaf, limit);
  return leaf;
}

async function setLimit(leaf: Leaf, { file, value }: LeafLimit): Promise<void> {
  const target = path.join(leaf.dir, file);
  try {
    await writeFile(target, value);
    const found = (await readFile(target, 'utf8')).trim();
    // The kernel rounds memory down to pages; io.max is a line among others.
    const holds = file === 'memory.max' ? Number(found) <= Number(value) : found.includes(value);
    if (!holds) throw new Error(`it is ${found} afterwards`);
  } catch (cause) {
    await leaf.remove();
    throw new PluginError(
      'plugins.limit-not-set',
      `set ${file} of a plugin to "${value}": ${errorText(cause)}; the kernel must have the controller and hand it to ${path.dirname(leaf.dir)}`,
      { cause },
    );
  }
}

function leafAt(dir: string): Leaf {
  const numbers = async (file: string) => toNumbers(await readFile(path.join(dir, file), 'utf8'));
  const processes = async () =>
    (await readFile(path.join(dir, 'cgroup.procs'), 'utf8')).split('\n').filter(Boolean).map(Number);
  const killAll = async () => {
    await writeFile(path.join(dir, 'cgroup.kill'), '1');
    const end = performance.now() + EMPTY_LIMIT_MS;
    while ((await numbers('cgroup.events')).get('populated') !== 0) {
      if (performance.now() > end)
        throw new PluginError(
          'plugins.unresponsive',
          `kill ${dir}: processes are left after ${EMPTY_LIMIT_MS} ms`,
        );
      await delay(5);
    }
  };
  // Who waits for the end of its processes may be overtaken by who removes it after their end.
  const kill = () => killAll().catch(unlessGone);
  return {
    dir,
    processes,
    kill,
    async use() {
      const [memory, cpu, events, pids] = await Promise.all([
        readFile(path.join(dir, 'memory.current'), 'utf8'),
        numbers('cpu.stat'),
        numbers('memory.events'),
        numbers('pids.events'),
      ]);
      const peak = await readFile(path.join(dir, 'memory.peak'), 'utf8').catch(() => null);
      return {
        memoryBytes: Number(memory),
        memoryPeakBytes: peak === null ? null : Number(peak),
        cpuUsec: cpu.get('usage_usec') ?? 0,
        throttledUsec: cpu.get('throttled_usec') ?? 0,
        processes: (await processes()).length,
        oomKills: events.get('oom_kill') ?? 0,
        refusedPids: pids.get('max') ?? 0,
      };
    },
    async remove() {
      await kill();
      await removeTree(dir).catch(unlessGone);
    },
  };
}

/** A plugin cannot make cgroups of its own; a leaf that has children all the same must not stay behind. */
async function removeTree(dir: string): Promise<void> {
  for (const entry of await readdir(dir, { withFileTypes: true }))
    if (entry.isDirectory()) await removeTree(path.join(dir, entry.name));
  await rmdir(dir);
}

/** ENODEV: a file of it was still open. */
function unlessGone(cause: unknown): void {
  if (!['ENOENT', 'ENODEV'].includes((cause as NodeJS.ErrnoException).code ?? '')) throw cause;
}

function toNumbers(text: string): ReadonlyMap<string, number> {
  return new Map(
    text
      .split('\n')
      .map((line) => line.split(' '))
      .map(([key = '', value]) => [key, Number(value)]),
  );
}
