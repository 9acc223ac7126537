// partitions.json -> where each partition lies, and the script that makes sfdisk write exactly this table.
import partitions from './partitions.json' with { type: 'json' };

export type Holds = 'esp' | 'root' | 'nothing' | 'config';

export interface Partition {
  readonly name: string;
  readonly type: string;
  readonly id: string;
  readonly holds: Holds;
  readonly startMiB: number;
  readonly sizeMiB: number;
  /** Of a FAT file system. */
  readonly label: string;
  readonly serial: string;
}

export const mib = 1024 * 1024;

/** In the order of the disk. The first MiB holds the table, the last one its copy. */
export const partitionTable: readonly Partition[] = partitions.partitions.map((entry, index, all) => ({
  label: '',
  serial: '',
  ...entry,
  holds: entry.holds as Holds,
  startMiB: 1 + all.slice(0, index).reduce((sum, { sizeMiB }) => sum + sizeMiB, 0),
}));

/** What grows with the disk, the data partition, is made behind this at the first boot. */
export const diskMiB = 2 + partitionTable.reduce((sum, { sizeMiB }) => sum + sizeMiB, 0);

export function partitionThatHolds(what: Holds): Partition {
  const found = partitionTable.find(({ holds }) => holds === what);
  if (found === undefined) throw new Error(`partitions.json has no partition that holds ${what}`);
  return found;
}

export function sfdiskScript(): string {
  const lines = partitionTable.map(
    ({ name, type, id, startMiB, sizeMiB }) =>
      `start=${startMiB}MiB, size=${sizeMiB}MiB, type=${type}, uuid=${id}, name="${name}"`,
  );
  return `${['label: gpt', `label-id: ${partitions.diskId}`, 'unit: sectors', '', ...lines].join('\n')}\n`;
}
