// The live rows and the older ones that were read below them -> one list, with a line where the two no longer meet. Pure.
import { t } from '../strings.ts';
import type { ApplianceEvent } from './answers.ts';

export interface FeedRow {
  readonly key: string;
  readonly event: ApplianceEvent | null;
  /** Told by the stream where events are missing. */
  readonly notice: string | null;
}

export interface OlderRows {
  /** The last live event when the first of them were asked for. */
  readonly below: string;
  readonly rows: readonly FeedRow[];
  /** Where to read on; null: nothing older is stored. */
  readonly next: string | null;
}

export interface JoinedRows {
  readonly rows: readonly FeedRow[];
  /** What the next answer is put below: null where it begins anew, under the last live event. */
  readonly kept: OlderRows | null;
  /** The next to ask for are before this event; null: there is nothing to ask for. */
  readonly before: string | null;
}

const hole: FeedRow = { key: 'hole', event: null, notice: t.events.hole };

/** Live rows are dropped at their end, and all of them at once when the stream begins anew: both leave a hole. */
export function joinOlder(live: readonly FeedRow[], older: OlderRows | null): JoinedRows {
  const last = live.findLast(({ event }) => event !== null)?.event?.id ?? null;
  if (older !== null && older.below === last)
    return { rows: [...live, ...older.rows], kept: older, before: older.next };
  const rest = older === null || older.rows.length === 0 ? [] : [hole, ...older.rows];
  return { rows: [...live, ...rest], kept: null, before: last };
}
