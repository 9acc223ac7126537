// Mounts, swap, the kernel command line and stacked devices -> what each disk is needed for. Pure.
import type { DiskUse } from './disk.ts';
import type { Mount } from './parse-mountinfo.ts';
import { type BlockNode, disksBelow } from './read-block-nodes.ts';

/** Without one of these the running system ends. */
const systemPlaces = /^\/$|^\/(boot|efi|usr|var|etc|nix)(\/|$)/;

export interface SystemFacts {
  readonly nodes: ReadonlyMap<string, BlockNode>;
  readonly mounts: readonly Mount[];
  readonly swaps: readonly string[];
  /** Block devices that the kernel command line names as the root. */
  readonly bootNodes: readonly string[];
}

/** Name of a disk -> its uses, in the order of the mounts. */
export function diskUses({
  nodes,
  mounts,
  swaps,
  bootNodes,
}: SystemFacts): ReadonlyMap<string, readonly DiskUse[]> {
  const uses = new Map<string, DiskUse[]>();
  const note = (node: string, use: DiskUse) => {
    for (const disk of disksBelow(nodes, node)) uses.set(disk, [...(uses.get(disk) ?? []), use]);
  };
  // An overlay hides what it lies on: the command line is then the only witness of the system's disk.
  for (const node of bootNodes)
    note(node, { kind: 'system', why: `the running system was started from ${node}` });
  for (const mount of mounts) {
    const node = nodeOfMount(nodes, mount);
    if (node === null) continue;
    note(
      node,
      systemPlaces.test(mount.where)
        ? { kind: 'system', why: `the running system has ${node} at ${mount.where}` }
        : { kind: 'mounted', node, where: mount.where },
    );
  }
  for (const swap of swaps) {
    const node = nodeOfPath(nodes, swap);
    if (node !== null) note(node, { kind: 'system', why: `the running system swaps to ${node}` });
  }
  for (const { name, holders } of nodes.values())
    for (const by of holders) note(name, { kind: 'holder', node: name, by: nodes.get(by)?.alias ?? by });
  return uses;
}

/** Btrfs and others mount with a number of no device: then the source's path decides. */
export function nodeOfMount(nodes: ReadonlyMap<string, BlockNode>, { number, source }: Mount): string | null {
  for (const node of nodes.values()) if (node.number === number) return node.name;
  return nodeOfPath(nodes, source);
}

export function nodeOfPath(nodes: ReadonlyMap<string, BlockNode>, path: string): string | null {
  const name = /^\/dev\/(?:mapper\/)?([^/]+)$/.exec(path)?.[1];
  if (name === undefined) return null;
  if (nodes.has(name)) return name;
  for (const node of nodes.values()) if (node.alias === name) return node.name;
  return null;
}
