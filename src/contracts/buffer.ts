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

/**
 * A consumer's durable place in the stream. What it has not acknowledged stays stored within the bounds of the buffer; what
 * those cost it is told by a buffer.gap, and reading just goes on behind it.
 */
export interface Cursor {
  /**
   * Everything up to here is acknowledged; survives restarts, may lag behind `acknowledge` by one batch after a crash. Moves by
   * itself only where the cursor expired: to the end.
   */
  readonly position: EventId;
  /** Moves the cursor forward; stored with the next batch. Going back is ignored, and so is what comes after the removal. */
  acknowledge(id: EventId): void;
}

/** `uplink`, `webhook:<name>`, `plugin:<name>`. */
export type ConsumerName = string;

export interface ConsumerOptions {
  /** Where a name begins that has no cursor yet: before the oldest event that is stored, or after the newest. */
  readonly from: 'start' | 'now';
  /**
   * true: when it has not moved for `buffer.consumerIdleHours` although there is something to read, its cursor moves to the
   * end and a buffer.cursor-expired says what it missed. false: only the bounds of the buffer end its claim. A name that has a
   * cursor and is not opened by this run of the daemon always expires.
   */
  readonly mayExpire: boolean;
}

/**
 * Opens or makes the durable cursor of a name; resolves once it is stored, so what is appended after that will be read. Waits
 * for Redis; rejects with `buffer.stopped` only.
 */
export type OpenConsumer = (name: ConsumerName, options: ConsumerOptions) => Promise<Cursor>;

/**
 * Gives the cursor of a name up, also of one that is not open, with a buffer.cursor-expired when something was unread. Without
 * such a cursor nothing happens. Waits for Redis; rejects with `buffer.stopped` only.
 */
export type RemoveConsumer = (name: ConsumerName) => Promise<void>;

/** Removes every consumer whose name begins with the prefix and is not among `names`, as RemoveConsumer does. */
export type KeepConsumers = (prefix: string, names: readonly ConsumerName[]) => Promise<void>;

export interface BufferDepth {
  readonly lastId: EventId | null;
  /** Events not yet acknowledged by the slowest consumer. */
  readonly depth: number;
  readonly queued: number;
}

/** What the stored events take, as last sampled (every 5 s). */
export interface BufferUsage {
  /** Memory in Redis. */
  readonly streamBytes: number;
  readonly archiveBytes: number;
  /** Of the stored events, those that lie in the archive. */
  readonly archivedEvents: number;
  /** Of the oldest event that a consumer still waits for; 0 when there is none. */
  readonly oldestAgeSeconds: number;
}
