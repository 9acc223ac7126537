// The first bytes of a partition -> which file system it claims to be, and its label. Pure; hostile bytes.
import { printable } from './printable.ts';

export interface Filesystem {
  readonly type: string;
  readonly label: string | null;
}

/** Enough for every magic below. */
export const filesystemHeadBytes = 36 * 1024;

interface Mark {
  readonly type: string;
  readonly at: number;
  readonly magic: string;
  /** Where the label is and how long. */
  readonly label?: readonly [number, number];
}

const marks: readonly Mark[] = [
  { type: 'squashfs', at: 0, magic: 'hsqs' },
  { type: 'luks', at: 0, magic: 'LUKS\xba\xbe' },
  { type: 'xfs', at: 0, magic: 'XFSB', label: [108, 12] },
  { type: 'exfat', at: 3, magic: 'EXFAT   ' },
  { type: 'ntfs', at: 3, magic: 'NTFS    ' },
  { type: 'lvm', at: 512, magic: 'LABELONE' },
  { type: 'swap', at: 4086, magic: 'SWAPSPACE2', label: [1052, 16] },
  { type: 'ext', at: 1080, magic: '\x53\xef', label: [1144, 16] },
  { type: 'vfat', at: 82, magic: 'FAT32   ', label: [71, 11] },
  { type: 'vfat', at: 54, magic: 'FAT16   ', label: [43, 11] },
  { type: 'vfat', at: 54, magic: 'FAT12   ', label: [43, 11] },
  { type: 'iso9660', at: 32_769, magic: 'CD001', label: [32_808, 32] },
];

export function recognizeFilesystem(head: Buffer): Filesystem | null {
  for (const { type, at, magic, label } of marks) {
    if (head.toString('latin1', at, at + magic.length) !== magic) continue;
    const claimed = label === undefined ? null : printable(head.subarray(label[0], label[0] + label[1]));
    return {
      type: type === 'ext' ? extVersion(head) : type,
      label: claimed === 'NO NAME' ? null : claimed,
    };
  }
  return null;
}

/** Extents came with ext4, the journal with ext3. */
function extVersion(head: Buffer): string {
  if (head.length < 1124) return 'ext2';
  if ((head.readUInt32LE(1120) & 0x40) !== 0) return 'ext4';
  return (head.readUInt32LE(1116) & 0x4) !== 0 ? 'ext3' : 'ext2';
}
