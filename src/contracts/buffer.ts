// What the stages need of the buffer, without knowing that it is Redis.
import type { EventDraft, EventId, StoredEvent } from './event.ts';

/** Fields of the state hash that change together with the events of the same append; null removes a field. */
export type StatePatch = Readonly<Record<string, string | null>>;

/**
 * Numbers the drafts in the order of the calls, stores them and the patch in one transaction, and resolves once Redis
 * has fsynced them. Waits in a bounded memory queue while Redis is away; never rejects. `[]` of ids for drafts that the
 * full queue had to drop (a buffer.gap event follows).
 */
export type AppendEvents = (drafts: readonly EventDraft[], state?: StatePatch) => Promise<readonly EventId[]>;

/**
 * Up to `count` stored entries after `from`, oldest first. `position` is where to go on reading: the last entry looked at,
 * `from` itself at the end of the stream. Damaged entries are left out (and reported as buffer.gap).
 */
export type ReadEvents = (
  from: EventId,
  count: number,
) => Promise<{ readonly events: readonly StoredEvent[]; readonly position: EventId }>;

/** A consumer's durable place in the stream. */
export interface Cursor {
  /** Everything up to here is acknowledged; survives restarts, may lag behind `acknowledge` by one batch after a crash. */
  readonly position: EventId;
  /** Moves the cursor forward; stored with the next batch. Going back is ignored. */
  acknowledge(id: EventId): void;
}

export interface BufferDepth {
  readonly lastId: EventId | null;
  /** Events not yet acknowledged by the slowest consumer. */
  readonly depth: number;
  readonly queued: number;
}
