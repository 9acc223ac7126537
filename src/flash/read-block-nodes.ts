// /sys/block and below -> every block device with what it stands on. Disks, partitions, dm, md, loop alike.
import { readdir, readFile, realpath } from 'node:fs/promises';
import path from 'node:path';

export interface BlockNode {
  readonly name: string;
  /** `8:1` */
  readonly number: string;
  /** Resolved folder in sysfs. */
  readonly folder: string;
  /** The disk of a partition; null for whole devices. */
  readonly disk: string | null;
  /** What a dm or md device is made of. */
  readonly slaves: readonly string[];
  readonly holders: readonly string[];
  /** What device mapper calls it: `/dev/mapper/<alias>`. */
  readonly alias: string | null;
  readonly sizeBytes: number;
}

export async function readBlockNodes(sysRoot: string): Promise<ReadonlyMap<string, BlockNode>> {
  const nodes = new Map<string, BlockNode>();
  const block = path.join(sysRoot, 'block');
  for (const name of await listed(block)) {
    const folder = await realpath(path.join(block, name)).catch(() => null);
    if (folder === null) continue;
    await add(nodes, { name, folder, disk: null });
    for (const part of await listed(folder)) {
      const below = path.join(folder, part);
      if ((await attribute(below, 'partition')) !== null)
        await add(nodes, { name: part, folder: below, disk: name });
    }
  }
  return nodes;
}

/** The whole devices that carry `name`: dm and md are followed to what they are made of. */
export function disksBelow(nodes: ReadonlyMap<string, BlockNode>, name: string): ReadonlySet<string> {
  const seen = new Set<string>();
  const found = new Set<string>();
  const visit = (each: string) => {
    const node = nodes.get(each);
    if (node === undefined || seen.has(each)) return;
    seen.add(each);
    if (node.slaves.length > 0) node.slaves.forEach(visit);
    else if (node.disk !== null) visit(node.disk);
    else found.add(each);
  };
  visit(name);
  return found;
}

/** One line of a sysfs file; null when there is none (the device may be leaving). */
export async function attribute(folder: string, name: string): Promise<string | null> {
  try {
    const text = (await readFile(path.join(folder, name), 'utf8')).trim();
    return text === '' ? null : text;
  } catch {
    return null;
  }
}

async function add(
  nodes: Map<string, BlockNode>,
  place: Pick<BlockNode, 'name' | 'folder' | 'disk'>,
): Promise<void> {
  const { folder } = place;
  const number = await attribute(folder, 'dev');
  if (number === null) return;
  nodes.set(place.name, {
    ...place,
    number,
    slaves: await listed(path.join(folder, 'slaves')),
    holders: await listed(path.join(folder, 'holders')),
    alias: await attribute(folder, 'dm/name'),
    // The kernel counts in 512 bytes here, whatever the sector of the disk is.
    sizeBytes: Number((await attribute(folder, 'size')) ?? 0) * 512,
  });
}

async function listed(folder: string): Promise<readonly string[]> {
  return (await readdir(folder).catch(() => [])).sort();
}
