// Refused requests of one caller -> how many of them stand in the audit: some at once, then one in a while, which counts those left out.
import type { Caller } from '../access/access.ts';
import { createRateLimit } from '../rate-limit.ts';

const AT_ONCE = 60;
const THEN_EVERY_SECONDS = 60;
/** More than there can be users and tokens; beyond it what was left out of the one who came first is not told. */
const MOST_CALLERS = 256;

export interface RefusedEntries {
  /** What the entry says; null: it is left out, and counted. */
  detailFor(caller: Pick<Caller, 'via' | 'who'>, detail: string): string | null;
}

/** Nobody may push out of the bounded audit what others did. All strangers together are one caller. */
export function createRefusedEntries(uptimeMs: () => number): RefusedEntries {
  const written = createRateLimit({ perSecond: 1 / THEN_EVERY_SECONDS, burst: AT_ONCE });
  const leftOut = new Map<string, number>();
  return {
    detailFor({ via, who }, detail) {
      const key = `${via} ${who}`;
      const before = leftOut.get(key) ?? 0;
      leftOut.delete(key);
      if (written.wait(key, uptimeMs()) > 0) {
        leftOut.set(key, before + 1);
        const [first] = leftOut.keys();
        if (leftOut.size > MOST_CALLERS && first !== undefined) leftOut.delete(first);
        return null;
      }
      return before === 0 ? detail : `${detail}; before it ${before} more that stand nowhere`;
    },
  };
}
