// The running system -> its disks, each with its uses, its content and its table. Loop, RAM, optical and empty drives are left out.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { bootNodes } from './boot-nodes.ts';
import type { Disk, DiskContent, SystemRoots } from './disk.ts';
import { isDiskName, readDiskFacts } from './disk-facts.ts';
import { diskUses, nodeOfMount } from './disk-uses.ts';
import { parseMountinfo, parseSwaps } from './parse-mountinfo.ts';
import type { GptTable } from './partition-table.ts';
import { disksBelow, readBlockNodes } from './read-block-nodes.ts';
import { readContent } from './read-content.ts';

export interface FoundDisk extends Disk {
  readonly content: DiskContent;
  readonly gpt: GptTable | null;
}

export interface FoundDisks {
  readonly disks: readonly FoundDisk[];
  /** The disk that the running system was started from, if that can be told. */
  readonly bootDisk: string | null;
}

export async function readDisks(roots: SystemRoots): Promise<FoundDisks> {
  const nodes = await readBlockNodes(roots.sys);
  const mounts = parseMountinfo(await textOf(roots, 'self/mountinfo'));
  const found: Omit<FoundDisk, 'uses'>[] = [];
  const identities = new Map<string, string>();
  for (const node of nodes.values()) {
    if (node.disk !== null || node.sizeBytes === 0 || !isDiskName(node.name)) continue;
    const disk = { ...(await readDiskFacts(node)), path: path.join(roots.dev, node.name) };
    const { content, verdict } = await readContent(disk);
    const gpt = verdict?.ok === true && verdict.table?.kind === 'gpt' ? verdict.table : null;
    found.push({ ...disk, content, gpt });
    if (gpt === null) continue;
    identities.set(gpt.diskId, node.name);
    for (const { id } of gpt.partitions) if (id !== null) identities.set(id, node.name);
  }
  const started = await startedFrom(roots);
  const booted = [
    ...(nodes.has(started) ? [started] : []),
    ...bootNodes(await textOf(roots, 'cmdline'), nodes, identities),
  ];
  const swaps = parseSwaps(await textOf(roots, 'swaps'));
  const uses = diskUses({ nodes, mounts, swaps, bootNodes: booted });
  const rootMount = mounts.find(({ where }) => where === '/');
  const rootNode = booted[0] ?? (rootMount === undefined ? null : nodeOfMount(nodes, rootMount));
  const [bootDisk = null] = rootNode === null ? [] : disksBelow(nodes, rootNode);
  return { disks: found.map((disk) => ({ ...disk, uses: uses.get(disk.name) ?? [] })), bootDisk };
}

async function textOf({ proc }: SystemRoots, file: string): Promise<string> {
  return readFile(path.join(proc, file), 'utf8').catch(() => '');
}

async function startedFrom({ startedFrom: file }: SystemRoots): Promise<string> {
  return file === undefined ? '' : (await readFile(file, 'utf8').catch(() => '')).trim();
}
