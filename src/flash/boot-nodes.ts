// The kernel command line -> the block device that the system was started from. Pure.
import { nodeOfPath } from './disk-uses.ts';
import type { BlockNode } from './read-block-nodes.ts';

/** From the most telling word to the least. */
const words = ['aw.disk', 'aw.root', 'root'] as const;

/** GUID of a partition or a disk, lower case -> its block device. */
export type Identities = ReadonlyMap<string, string>;

/** Names of block devices, most telling first; empty when the command line names none that is there. */
export function bootNodes(
  commandLine: string,
  nodes: ReadonlyMap<string, BlockNode>,
  identities: Identities,
): readonly string[] {
  const given = commandLine.trim().split(/\s+/);
  return words.flatMap((word) => {
    const value = given.findLast((each) => each.startsWith(`${word}=`))?.slice(word.length + 1);
    if (value === undefined) return [];
    const identity = /^(?:PARTUUID|PTUUID)=(.*)$/.exec(value)?.[1] ?? value;
    const node = nodeOfPath(nodes, value) ?? identities.get(identity.toLowerCase());
    return node === undefined ? [] : [node];
  });
}
