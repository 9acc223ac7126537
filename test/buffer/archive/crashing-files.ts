// The archive's folder on a real disk, with a crash planted at one step: from then on nothing happens any more, and what
// was not fsynced can be taken away, as a power cut may.
import { rename, rm, truncate } from 'node:fs/promises';
import path from 'node:path';
import { type ArchiveFiles, archiveFiles } from '../../../src/buffer/archive/archive-files.ts';

export interface CrashingFiles {
  readonly files: ArchiveFiles;
  /** Resolves when the planted step was reached. */
  readonly crashed: Promise<void>;
  /** Undoes the renames and removals-by-rename that no syncFolder() followed; new files without it are gone or empty. */
  loseUnsynced(): Promise<void>;
}

/**
 * Counted are the steps that change something: create, rename, syncFolder, remove, cut.
 * @param isDone whether the step of the crash itself still reaches the disk
 */
export function crashingFiles(folder: string, crashAt: number, isDone: boolean): CrashingFiles {
  const real = archiveFiles(folder);
  const crash = Promise.withResolvers<void>();
  let steps = 0;
  let unsynced: (() => Promise<void>)[] = [];
  const at = (name: string) => path.join(folder, name);

  const step = async (act: () => Promise<void>): Promise<void> => {
    if (steps >= crashAt) {
      if (steps === crashAt && isDone) await act();
      steps += 1;
      crash.resolve();
      // The process is dead: whoever waits here waits for ever.
      return new Promise(() => undefined);
    }
    steps += 1;
    await act();
  };
  return {
    crashed: crash.promise,
    async loseUnsynced() {
      for (const undo of unsynced.reverse()) await undo();
    },
    files: {
      ...real,
      create: (name, bytes) =>
        step(async () => {
          await real.create(name, bytes);
          unsynced.push(() =>
            bytes.length % 2 === 0 ? rm(at(name), { force: true }) : truncate(at(name), 0),
          );
        }),
      rename: (from, to) =>
        step(async () => {
          await real.rename(from, to);
          unsynced.push(() => rename(at(to), at(from)));
        }),
      syncFolder: () =>
        step(async () => {
          await real.syncFolder();
          unsynced = [];
        }),
      remove: (name) => step(() => real.remove(name)),
      cut: (name, bytes) => step(() => real.cut(name, bytes)),
    },
  };
}
