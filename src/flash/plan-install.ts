// The disk that the appliance was booted from -> what of it an installation copies. Pure.
import type { Choice } from './choose-disks.ts';
import type { GptTable } from './partition-table.ts';
import type { FoundDisk, FoundDisks } from './read-disks.ts';

export interface InstallPlan {
  readonly from: FoundDisk;
  readonly table: GptTable;
  /** From byte 0 to the end of the last partition that is copied. */
  readonly extentBytes: number;
  /** The data partition: the new disk makes its own at its first boot, with identity keys of its own. */
  readonly without: readonly number[];
}

const dataName = /^(autoweave-)?data$/i;

export function planInstall({ disks, bootDisk }: FoundDisks): Choice<InstallPlan> {
  const from = disks.find(({ name }) => name === bootDisk);
  if (from === undefined)
    return {
      ok: false,
      problem: {
        code: 'flash.boot-disk-unknown',
        message: `find the disk that this system was started from: ${bootDisk === null ? 'neither the kernel command line nor a mount names it' : `${bootDisk} is not among the disks`}`,
        remedy:
          'Start the appliance from a stick and run the command there; or write an image with `autoweave flash`.',
      },
    };
  const unsuitable = (why: string) =>
    ({
      ok: false,
      problem: {
        code: 'flash.boot-disk-unsuitable',
        message: `copy ${from.path}: ${why}`,
        remedy: 'Write the appliance to the stick anew with `autoweave flash`, and start from it.',
      },
    }) as const;
  if (from.gpt === null) return unsuitable('it has no readable GUID partition table');
  const isData = ({ name }: { readonly name: string | null }) => name !== null && dataName.test(name);
  const kept = from.gpt.partitions.filter((partition) => !isData(partition));
  const without = from.gpt.partitions.filter(isData).map(({ number }) => number);
  if (kept.length === 0) return unsuitable('it has no partition besides the data partition');
  const end = Math.max(...kept.map(({ lastBlock }) => lastBlock)) + 1;
  const between = from.gpt.partitions.find((partition) => isData(partition) && partition.firstBlock < end);
  if (between !== undefined)
    return unsuitable(`its data partition (number ${between.number}) lies before others`);
  return { ok: true, value: { from, table: from.gpt, extentBytes: end * from.blockBytes, without } };
}

/** Internal disks: what an installation offers without being asked. */
export function isInternal({ bus, removable }: FoundDisk): boolean {
  return bus !== 'usb' && !removable;
}
