// Many listeners, few reads: those at the same place of the stream wait for one read together.
import type { ReadEvents } from '../contracts/buffer.ts';
import { type EventId, formatEventId } from '../contracts/event.ts';

export type EventBatch = Awaited<ReturnType<ReadEvents>>;

export interface SharedReads {
  /** One of the two is called once, unless the returned function was called before: then nothing of the caller is kept. */
  join(from: EventId, onBatch: (batch: EventBatch) => void, onFailure: (cause: unknown) => void): () => void;
}

interface Wanted {
  readonly from: EventId;
  readonly waiters: Set<Waiter>;
  started: boolean;
}

interface Waiter {
  readonly onBatch: (batch: EventBatch) => void;
  readonly onFailure: (cause: unknown) => void;
}

/** More at once would not be faster: they share one connection. */
const MOST_AT_ONCE = 8;

/**
 * INVARIANTS
 * - A read may stay pending for as long as Redis is away: there are never more than `mostAtOnce`, whoever comes and goes.
 * - A pending read holds its waiters in a set and not as reactions of its promise, which could not be taken back.
 */
export function createSharedReads(
  read: ReadEvents,
  { count, mostAtOnce = MOST_AT_ONCE }: { readonly count: number; readonly mostAtOnce?: number },
): SharedReads {
  const wanted = new Map<string, Wanted>();
  let running = 0;

  const startNext = () => {
    for (const [key, want] of wanted) {
      if (running >= mostAtOnce) return;
      if (want.started) continue;
      want.started = true;
      running += 1;
      const settle = (tell: (waiter: Waiter) => void) => {
        wanted.delete(key);
        running -= 1;
        want.waiters.forEach(tell);
        startNext();
      };
      read(want.from, count).then(
        (batch) => settle(({ onBatch }) => onBatch(batch)),
        (cause: unknown) => settle(({ onFailure }) => onFailure(cause)),
      );
    }
  };

  return {
    join(from, onBatch, onFailure) {
      const key = formatEventId(from);
      const want = wanted.get(key) ?? { from, waiters: new Set(), started: false };
      wanted.set(key, want);
      const waiter = { onBatch, onFailure };
      want.waiters.add(waiter);
      startNext();
      return () => {
        want.waiters.delete(waiter);
        if (!want.started && want.waiters.size === 0) wanted.delete(key);
      };
    },
  };
}
