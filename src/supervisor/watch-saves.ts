// A folder that somebody edits -> a call for each save, once the files are quiet. Looks instead of asking the kernel: a watch
// belongs to an inode, and most editors save by putting another file in the old one's place.
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const LOOK_EVERY_MS = 250;
const passedOver = new Set(['node_modules', '.git']);

export interface WatchSavesOptions {
  readonly signal: AbortSignal;
  /** The next save is looked for once this has resolved; what was saved meanwhile is seen then. */
  onSaved(file: string): Promise<void>;
}

/** Starts from what `seen` says is there. Resolves when the signal aborts. */
export async function watchSaves(dir: string, seen: FolderState, options: WatchSavesOptions): Promise<void> {
  const { onSaved, signal } = options;
  let known = seen;
  let last = seen;
  while (!signal.aborted) {
    await delay(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    const now = await readFolderState(dir);
    const file = firstDifference(known, now);
    // Twice the same: nobody is in the middle of writing.
    if (file !== null && firstDifference(last, now) === null) {
      known = now;
      await onSaved(file);
    }
    last = now;
  }
}

/** Path within the folder -> what changes when the file does. */
export type FolderState = ReadonlyMap<string, string>;

export async function readFolderState(dir: string): Promise<FolderState> {
  const found = new Map<string, string>();
  const walk = async (folder: string): Promise<void> => {
    // What goes while it is read is not there.
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
    for (const entry of entries) {
      const file = path.join(folder, entry.name);
      if (entry.isDirectory()) {
        if (!passedOver.has(entry.name)) await walk(file);
        continue;
      }
      // What `plugin build` and `plugin sign` leave there.
      if (/\.(awp|minisig)$/.test(entry.name)) continue;
      const about = await stat(file, { bigint: true }).catch(() => null);
      if (about !== null)
        found.set(path.relative(dir, file), `${about.ino} ${about.size} ${about.mtimeNs} ${about.ctimeNs}`);
    }
  };
  await walk(dir);
  return found;
}

function firstDifference(before: FolderState, after: FolderState): string | null {
  for (const [file, stamp] of after) if (before.get(file) !== stamp) return file;
  for (const file of before.keys()) if (!after.has(file)) return file;
  return null;
}
