// Which files of the archive are given up, so that its bounds hold: bytes, then age, then count. By bytes and count the least
// important go first, the oldest of them first; by age everything that old. Pure.
import { rank, type Segment } from './archive-index.ts';
import type { GoneReason, SegmentFile } from './segment-name.ts';

export interface DropFacts {
  /** Bytes by which the archive is too large. */
  readonly excessBytes: number;
  /** Events by which the whole store has too many. */
  readonly excessEvents: number;
  /** Everything in the segments before the one with this place is too old. */
  readonly tooOldSegments: number;
}

export interface Drop {
  readonly file: SegmentFile;
  readonly reason: GoneReason;
}

export function planDrops(segments: readonly Segment[], facts: DropFacts): readonly Drop[] {
  const drops: Drop[] = [];
  const dropped = new Set<SegmentFile>();
  let { excessBytes, excessEvents } = facts;
  const drop = (file: SegmentFile, reason: GoneReason) => {
    dropped.add(file);
    drops.push({ file, reason });
    excessBytes -= file.bytes;
    excessEvents -= file.count;
  };
  if (excessBytes <= 0 && excessEvents <= 0 && facts.tooOldSegments === 0) return drops;

  const byWorth = segments
    .flatMap(({ files }) => files)
    .toSorted((a, b) => rank(b.priority) - rank(a.priority));
  for (const file of byWorth) {
    if (excessBytes <= 0) break;
    drop(file, 'disk-bound');
  }
  for (const { files } of segments.slice(0, facts.tooOldSegments))
    for (const file of files.toReversed()) if (!dropped.has(file)) drop(file, 'age-bound');
  for (const file of byWorth) {
    if (excessEvents <= 0) break;
    if (!dropped.has(file)) drop(file, 'count-bound');
  }
  return drops;
}

/** Bytes that the archive may have: its own bound, and what leaves `keepFreeBytes` (at most a tenth) of the disk free. */
export function allowedBytes(options: {
  readonly bytes: number;
  readonly maxBytes: number;
  readonly keepFreeBytes: number;
  readonly room: { readonly freeBytes: number; readonly totalBytes: number };
}): number {
  const { bytes, maxBytes, room } = options;
  const keepFree = Math.min(options.keepFreeBytes, room.totalBytes / 10);
  return Math.min(maxBytes, bytes + room.freeBytes - keepFree);
}
