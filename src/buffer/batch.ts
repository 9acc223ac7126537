// What is stored in one transaction: drafts with their ids, and the state patch that belongs to them.
import type { StatePatch } from '../contracts/buffer.ts';
import { type EventDraft, type EventId, formatEventId } from '../contracts/event.ts';
import { bufferError } from './buffer-error.ts';
import { EVENTS, STATE } from './keys.ts';
import type { QueuedCall } from './memory-queue.ts';
import type { RedisLink } from './redis-link.ts';
import { entryChecksum, fieldOf, toEntryFields } from './stored-entry.ts';

/** The batch before it has ids; it gets others when the generation changes under it. */
export interface BatchWork {
  /** The buffer's own events, before those of the calls. */
  readonly lead: readonly EventDraft[];
  readonly calls: readonly QueuedCall[];
  readonly patch: StatePatch;
  /** The patch is the whole state: what the hash held before is removed. */
  readonly replacesState: boolean;
}

export interface BatchEntry {
  readonly idText: string;
  readonly json: string;
  readonly draft: EventDraft;
}

export interface Batch {
  readonly work: BatchWork;
  readonly first: EventId;
  /** `first` minus one when the batch has no events. */
  readonly last: EventId;
  readonly entries: readonly BatchEntry[];
}

export function formBatch(
  work: BatchWork,
  first: EventId,
  seal: (draft: EventDraft, id: EventId) => string,
): Batch {
  const { generation } = first;
  const drafts = [...work.lead, ...work.calls.flatMap((call) => call.drafts)];
  const entries = drafts.map((draft, index) => {
    const id = { generation, number: first.number + index };
    return { idText: formatEventId(id), json: seal(draft, id), draft };
  });
  return { work, first, last: { generation, number: first.number + entries.length - 1 }, entries };
}

/** Throws `redis-refused` when surely nothing was stored; any other BufferError leaves it open. */
export async function storeBatch(link: RedisLink, { entries, work }: Batch): Promise<void> {
  const set: string[] = [];
  const removed: string[] = [];
  for (const [field, value] of Object.entries(work.patch)) {
    if (value === null) removed.push(field);
    else set.push(field, value);
  }
  const results = await link.exchange('append', (redis) => {
    const transaction = redis.multi();
    for (const { idText, json } of entries) transaction.xadd(EVENTS, idText, ...toEntryFields(idText, json));
    if (work.replacesState) transaction.del(STATE);
    else if (removed.length > 0) transaction.hdel(STATE, ...removed);
    if (set.length > 0) transaction.hset(STATE, ...set);
    return transaction.exec();
  });
  const failed = results?.find(([error]) => error !== null);
  if (results === null || failed !== undefined) {
    const message = 'Redis stored only a part of a transaction: another process writes to the same Redis';
    throw bufferError('buffer.redis-conflict', message, failed?.[0]);
  }
}

/** Whether the store holds exactly this batch; asked after its reply was lost. A transaction is stored whole or not at all. */
export async function isStored(link: RedisLink, batch: Batch): Promise<boolean> {
  if (batch.entries.length === 0) return false;
  const [from, to] = [formatEventId(batch.first), formatEventId(batch.last)];
  const stored = await link.exchange('is the last batch stored', (redis) => redis.xrange(EVENTS, from, to));
  return (
    stored.length === batch.entries.length &&
    batch.entries.every(({ idText, json }, index) => {
      const [id, fields = []] = stored[index] ?? [];
      return id === idText && fieldOf(fields, 'c') === entryChecksum(idText, json);
    })
  );
}

/** Ids of every call of a stored batch, in its order. */
export function idsOfCalls({ work, first }: Batch): readonly (readonly EventId[])[] {
  let number = first.number + work.lead.length;
  return work.calls.map((call) =>
    call.drafts.map(() => ({ generation: first.generation, number: number++ })),
  );
}
