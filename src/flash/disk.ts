// What the folder knows about a disk: facts of the kernel, uses by the running system, content read from its own bytes.

export type Bus = 'usb' | 'sata' | 'nvme' | 'mmc' | 'virtio' | 'scsi' | 'other';

export type DiskUse =
  | { readonly kind: 'system'; readonly why: string }
  | { readonly kind: 'mounted'; readonly node: string; readonly where: string }
  | { readonly kind: 'holder'; readonly node: string; readonly by: string };

export interface Disk {
  /** As in /sys/block: `sda`. */
  readonly name: string;
  readonly path: string;
  readonly sizeBytes: number;
  /** Of a logical sector: the unit of partition tables and of unbuffered writes. */
  readonly blockBytes: number;
  readonly model: string | null;
  readonly serial: string | null;
  readonly bus: Bus;
  readonly removable: boolean;
  readonly readOnly: boolean;
  /** `8:0` */
  readonly number: string;
  /** The kernel counts media: another number at the same path is another disk. null: a kernel before 5.15. */
  readonly sequence: string | null;
  readonly uses: readonly DiskUse[];
}

export interface ListedPartition {
  readonly number: number;
  readonly sizeBytes: number;
  readonly name: string | null;
  readonly filesystem: string | null;
  readonly label: string | null;
}

export interface DiskContent {
  readonly table: 'gpt' | 'mbr' | 'none' | 'damaged' | 'unreadable';
  /** Of a disk without a partition table. */
  readonly filesystem: string | null;
  readonly label: string | null;
  readonly partitions: readonly ListedPartition[];
}

/** Folders and files of the running system; tests give a tree of their own. */
export interface SystemRoots {
  readonly sys: string;
  readonly proc: string;
  readonly dev: string;
  /** Where the appliance's initramfs wrote the name of the disk it started from; left out: nowhere. */
  readonly startedFrom?: string;
}

export const systemRoots: SystemRoots = {
  sys: '/sys',
  proc: '/proc',
  dev: '/dev',
  startedFrom: '/run/autoweave-boot/disk',
};

export const chunkBytes = 4 * 1024 * 1024;
