// Failed attempts by key (user, address) -> how long the next one has to wait. In bounded memory; a restart forgets it.

/** Beyond it the key that was silent for longest is forgotten. */
const MOST_KEYS = 4_096;
const FORGET_MS = 3_600_000;

export interface LockOut {
  /** 0: the attempt may go on, and counts as failed until `succeeded`; else the milliseconds to wait, and nothing was counted. */
  attempt(key: string): number;
  succeeded(key: string): void;
  /** Takes the last attempt back: nothing was looked at. */
  undo(key: string): void;
}

export interface LockOutOptions {
  readonly uptimeMs: () => number;
  /** So many may fail without a pause. */
  readonly free: number;
  /** After the first one beyond; doubles. */
  readonly firstMs: number;
  readonly longestMs: number;
}

/** An attempt counts when it begins: a hundred at the same moment are a hundred, and not one. */
export function createLockOut({ uptimeMs, free, firstMs, longestMs }: LockOutOptions): LockOut {
  const failures = new Map<
    string,
    { readonly count: number; readonly atMs: number; readonly beforeMs: number }
  >();
  return {
    attempt(key) {
      const nowMs = uptimeMs();
      const before = failures.get(key);
      const { count, atMs } =
        before === undefined || nowMs - before.atMs > FORGET_MS ? { count: 0, atMs: nowMs } : before;
      const pauseMs = count < free ? 0 : Math.min(longestMs, firstMs * 2 ** Math.min(30, count - free));
      const leftMs = atMs + pauseMs - nowMs;
      if (leftMs > 0) return leftMs;
      failures.delete(key);
      failures.set(key, { count: count + 1, atMs: nowMs, beforeMs: atMs });
      const [oldest] = failures.keys();
      if (failures.size > MOST_KEYS && oldest !== undefined) failures.delete(oldest);
      return 0;
    },
    succeeded: (key) => void failures.delete(key),
    undo(key) {
      const last = failures.get(key);
      if (last === undefined) return;
      if (last.count === 1) failures.delete(key);
      else failures.set(key, { ...last, count: last.count - 1, atMs: last.beforeMs });
    },
  };
}
