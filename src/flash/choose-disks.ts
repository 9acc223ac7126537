// Disks and what was asked for -> the disks to write, or the first reason why not. Pure.

import { bytesText } from './bytes-text.ts';
import type { FlashProblem } from './flash-error.ts';
import type { FoundDisk } from './read-disks.ts';

export type Choice<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problem: FlashProblem };

/** Disks that may be offered without being asked for. */
export function offeredDisks(disks: readonly FoundDisk[]): readonly FoundDisk[] {
  return disks.filter((disk) => !disk.readOnly && !disk.uses.some(({ kind }) => kind !== 'mounted'));
}

/** @param paths resolved: no symbolic links */
export function chooseDisks(
  disks: readonly FoundDisk[],
  paths: readonly string[],
): Choice<readonly FoundDisk[]> {
  const chosen: FoundDisk[] = [];
  for (const path of paths) {
    const disk = disks.find((each) => each.path === path);
    if (disk === undefined) return refused(unknown(path, disks));
    if (chosen.includes(disk))
      return refused({
        code: 'flash.named-twice',
        message: `write to ${path}: it is named twice`,
        remedy: 'Name each disk once.',
      });
    const problem = whyNot(disk);
    if (problem !== null) return refused(problem);
    chosen.push(disk);
  }
  return { ok: true, value: chosen };
}

/** Why this disk may not be written, or null. */
export function whyNot({ path, uses, readOnly }: FoundDisk): FlashProblem | null {
  const system = uses.find((use) => use.kind === 'system');
  if (system !== undefined)
    return {
      code: 'flash.system-disk',
      message: `write to ${path}: ${system.why}`,
      remedy: 'Choose another disk, or start this computer from another medium.',
    };
  const mounted = uses.filter((use) => use.kind === 'mounted');
  if (mounted.length > 0)
    return {
      code: 'flash.mounted',
      message: `write to ${path}: ${mounted.map(({ node, where }) => `${node} is mounted at ${where}`).join(', ')}`,
      remedy: `Run: ${mounted.map(({ where }) => `umount ${quoted(where)}`).join(' && ')}`,
    };
  const holder = uses.find((use) => use.kind === 'holder');
  if (holder !== undefined)
    return {
      code: 'flash.in-use',
      message: `write to ${path}: ${holder.node} is part of ${holder.by}`,
      remedy: `Stop ${holder.by} first (dmsetup remove, vgchange -an or mdadm --stop).`,
    };
  if (readOnly)
    return {
      code: 'flash.read-only',
      message: `write to ${path}: the disk is read-only`,
      remedy: 'Move the lock switch of the card or stick, or use another one.',
    };
  return null;
}

/** Whether what is to be written fits; asked before the first byte is written. */
export function whyTooSmall({ path, sizeBytes }: FoundDisk, neededBytes: number): FlashProblem | null {
  if (neededBytes <= sizeBytes) return null;
  return {
    code: 'flash.too-small',
    message: `write to ${path}: it holds ${bytesText(sizeBytes)} and ${bytesText(neededBytes)} are needed (${neededBytes - sizeBytes} bytes are missing)`,
    remedy: 'Use a larger disk. Nothing was written.',
  };
}

function unknown(path: string, disks: readonly FoundDisk[]): FlashProblem {
  const whole = disks.find(
    (disk) => path.startsWith(disk.path) && /^p?\d+$/.test(path.slice(disk.path.length)),
  );
  if (whole !== undefined)
    return {
      code: 'flash.not-a-disk',
      message: `write to ${path}: this is a partition`,
      remedy: `Name the whole disk: ${whole.path}`,
    };
  const names = offeredDisks(disks).map((disk) => disk.path);
  return {
    code: 'flash.unknown-device',
    message: `write to ${path}: there is no such disk`,
    remedy: names.length === 0 ? 'Plug one in.' : `There are: ${names.join(', ')}`,
  };
}

function refused(problem: FlashProblem): { readonly ok: false; readonly problem: FlashProblem } {
  return { ok: false, problem };
}

function quoted(text: string): string {
  return /^[\w/.:+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
