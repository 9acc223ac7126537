// An image and a disk -> the steps of writing it, or why it cannot be. Pure. The beginning of the disk is cleared first and
// written last: a medium that was pulled in between has no partition table and no firmware tries to boot it.

import { type Choice, whyTooSmall } from './choose-disks.ts';
import { chunkBytes } from './disk.ts';
import { applyPatches, fitGpt, gptNeedsBytes, type Patch } from './fit-gpt.ts';
import type { FlashProblem } from './flash-error.ts';
import type { MeasuredImage } from './measure-image.ts';
import { hasGptSignature, parsePartitionTable } from './parse-partition-table.ts';
import type { GptTable } from './partition-table.ts';
import type { FoundDisk } from './read-disks.ts';

export type WriteStep =
  | { readonly do: 'clear'; readonly position: number; readonly lengthBytes: number }
  /** Every chunk of the image but the first, with the patches applied; one read serves all disks. */
  | { readonly do: 'copy' }
  | { readonly do: 'write'; readonly position: number; readonly bytes: Buffer }
  | { readonly do: 'flush' }
  /** All that was written is read back; only this makes it done. */
  | { readonly do: 'compare' };

export interface WritePlan {
  readonly disk: FoundDisk;
  /** The image's bytes, and zeros up to a whole block. */
  readonly imageBytes: number;
  /** What is different from the image on this disk: the partition table that fits it. */
  readonly patches: readonly Patch[];
  readonly steps: readonly WriteStep[];
}

export interface CopyOptions {
  /** Of the disk that is the source. */
  readonly table?: GptTable;
  /** Partitions that the copy shall not have. */
  readonly without?: readonly number[];
  /** The copy gets GUIDs of its own: both disks may be in one computer. */
  readonly newGuid?: () => string;
}

/** Where a disk may still have the backup of an older table. */
const tailBytes = 1024 * 1024;

export function planWriting(
  image: MeasuredImage,
  disk: FoundDisk,
  options: CopyOptions = {},
): Choice<WritePlan> {
  const { blockBytes, sizeBytes } = disk;
  const tooSmall = whyTooSmall(disk, image.sizeBytes);
  if (tooSmall !== null) return { ok: false, problem: tooSmall };
  const wrongBlocks = whyWrongBlocks(image, disk);
  if (wrongBlocks !== null) return { ok: false, problem: wrongBlocks };
  const found = options.table ?? gptOf(image, disk);
  if (found !== null && 'code' in found) return { ok: false, problem: found };
  const { newGuid, without = [] } = options;
  const guids = newGuid === undefined ? {} : { newGuid };
  const needed = found === null ? 0 : gptNeedsBytes(found, { blockBytes, without });
  const noRoom = whyTooSmall(disk, needed);
  if (noRoom !== null) return { ok: false, problem: noRoom };

  const whole = Math.floor(sizeBytes / blockBytes) * blockBytes;
  const imageBytes = Math.ceil(image.sizeBytes / blockBytes) * blockBytes;
  const patches =
    found === null ? [] : fitGpt(image.head, found, { sizeBytes, blockBytes, without, ...guids });
  const tailAt = Math.max(imageBytes, whole - tailBytes);
  const head = Buffer.alloc(Math.min(chunkBytes, imageBytes));
  image.head.copy(head);
  applyPatches(head, 0, patches);
  const tail = Buffer.alloc(Math.max(0, whole - tailAt));
  applyPatches(tail, tailAt, patches);

  const hasTail = tail.length > 0;
  const steps: readonly WriteStep[] = [
    { do: 'clear', position: 0, lengthBytes: head.length },
    ...(hasTail ? [{ do: 'clear', position: tailAt, lengthBytes: tail.length } as const] : []),
    { do: 'copy' },
    ...(hasTail ? [{ do: 'write', position: tailAt, bytes: tail } as const] : []),
    { do: 'flush' },
    { do: 'write', position: 0, bytes: head },
    { do: 'flush' },
    { do: 'compare' },
  ];
  return { ok: true, value: { disk, imageBytes, patches, steps } };
}

/** Places in a table are counted in sectors: the same bytes mean another place on a disk with other sectors. */
function whyWrongBlocks({ head }: MeasuredImage, { path, blockBytes }: FoundDisk): FlashProblem | null {
  const other = blockBytes === 512 ? 4096 : 512;
  if (hasGptSignature(head, blockBytes) || !hasGptSignature(head, other)) return null;
  return {
    code: 'flash.block-size',
    message: `write to ${path}: its sectors have ${blockBytes} bytes, the image is made for sectors of ${other}`,
    remedy: 'Use a disk with the other sector size, or an image made for this one. Nothing was written.',
  };
}

/** A damaged table would be written faithfully and not boot: most often the image is cut off. */
function gptOf(
  { head, sizeBytes }: MeasuredImage,
  { blockBytes }: FoundDisk,
): GptTable | FlashProblem | null {
  const verdict = parsePartitionTable({ head, sizeBytes, blockBytes });
  if (!verdict.ok)
    return {
      code: 'flash.table-damaged',
      message: `read the image's partition table: ${verdict.reason}`,
      remedy: 'The image is cut off or damaged: download or build it again. Nothing was written.',
    };
  return verdict.table?.kind === 'gpt' ? verdict.table : null;
}
