// What a partition table turns into once every length in it was checked; see parse-partition-table.ts.

export interface Partition {
  /** From 1, the place in the table. */
  readonly number: number;
  readonly firstBlock: number;
  readonly lastBlock: number;
  readonly name: string | null;
  /** GPT: the partition's own GUID, lower case; MBR: null. */
  readonly id: string | null;
}

export interface GptTable {
  readonly kind: 'gpt';
  readonly diskId: string;
  readonly headerBytes: number;
  readonly backupBlock: number;
  readonly firstUsable: number;
  readonly lastUsable: number;
  readonly entriesBlock: number;
  readonly entryBytes: number;
  readonly entryCount: number;
  readonly partitions: readonly Partition[];
}

export interface MbrTable {
  readonly kind: 'mbr';
  readonly partitions: readonly Partition[];
}

export type TableProblem =
  | 'header-size'
  | 'header-checksum'
  | 'own-place'
  | 'usable-range'
  | 'entries-size'
  | 'entries-place'
  | 'entries-checksum'
  | 'partition-range'
  | 'partition-overlap';

export type TableVerdict =
  | { readonly ok: true; readonly table: GptTable | MbrTable | null }
  | { readonly ok: false; readonly problem: TableProblem; readonly reason: string };

export interface TableInput {
  /** From byte 0; at least two blocks. Longer is better: the entries must be in it to be read. */
  readonly head: Buffer;
  readonly sizeBytes: number;
  readonly blockBytes: number;
}
