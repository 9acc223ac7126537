// The kernel's notices on a leaf's memory.events -> the moment at which memory.max was reached and nothing could be freed. Runs in
// the daemon.
import { type FSWatcher, watch } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';

export interface OomWatch {
  /** By the given clock; null: it has not come to that, or no notice of it has come yet. */
  readonly sinceMs: number | null;
  stop(): void;
}

/**
 * A group that ends of it goes within milliseconds: its files may be gone when the notice is read. Where the kernel gives no more
 * watches (fs.inotify.max_user_instances) the limit holds all the same, and only the moment is not known.
 */
export function watchOom(leafDir: string, uptimeMs: () => number): OomWatch {
  const file = path.join(leafDir, 'memory.events');
  let sinceMs: number | null = null;
  const watcher = watchOrNot(file, () => {
    if (sinceMs !== null) return;
    const noticedMs = uptimeMs();
    // The notices of `max` are many and mean nothing: memory was found in the end.
    void readFile(file, 'utf8').then(
      (text) => {
        if (!/^oom 0$/m.test(text)) sinceMs ??= noticedMs;
      },
      () => undefined,
    );
  });
  watcher?.on('error', () => watcher.close());
  return {
    get sinceMs() {
      return sinceMs;
    },
    stop: () => watcher?.close(),
  };
}

function watchOrNot(file: string, onChange: () => void): FSWatcher | null {
  try {
    return watch(file, onChange);
  } catch {
    // What it would tell is a figure: no reason to leave a plugin alone.
    return null;
  }
}
