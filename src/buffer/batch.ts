// What is stored in one transaction: drafts with their ids, and the state patch that belongs to them.
import type { StatePatch } from '../contracts/buffer.ts';
import { compareEventIds, type EventDraft, type EventId, formatEventId } from '../contracts/event.ts';
import { bufferError } from './buffer-error.ts';
import { EVENTS, STATE } from './keys.ts';
import type { QueuedCall } from './memory-queue.ts';
import type { RedisLink } from './redis-link.ts';
import { fieldOf, toEntryFields } from './stored-entry.ts';

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
  readonly fields: readonly string[];
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
    const idText = formatEventId(id);
    return { idText, fields: toEntryFields(idText, seal(draft, id)), draft };
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
    for (const { idText, fields } of entries) transaction.xadd(EVENTS, idText, ...fields);
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

/**
 * What is left to store of a batch whose reply was lost; null when the store has all of it, up to `last` as it says. It has all
 * or none, unless another process took ids in the middle: Redis refuses those up to the taken one, and stores the others.
 */
export async function findUnstored(link: RedisLink, batch: Batch, last: EventId): Promise<BatchWork | null> {
  if (batch.entries.length === 0 || compareEventIds(last, batch.first) < 0) return batch.work;
  const [from, to] = [formatEventId(batch.first), formatEventId(batch.last)];
  const found = await link.exchange('is the last batch stored', (redis) => redis.xrange(EVENTS, from, to));
  const checksums = new Map(found.map(([id, fields]) => [id, fieldOf(fields, 'c')]));
  const stored = batch.entries.map(({ idText, fields }) => checksums.get(idText) === fieldOf(fields, 'c'));
  return stored.every((one) => one) ? null : withoutStored(batch, stored);
}

/** The calls still resolve with the ids of all their drafts. */
function withoutStored({ work, first }: Batch, stored: readonly boolean[]): BatchWork {
  let index = 0;
  const lead = work.lead.filter(() => stored[index++] !== true);
  const calls = work.calls.map(({ drafts, state, resolve }): QueuedCall => {
    const known = drafts.map(() => {
      const id = { generation: first.generation, number: first.number + index };
      return stored[index++] === true ? id : null;
    });
    const left = drafts.filter((_, at) => known[at] === null);
    return {
      ...{ drafts: left, state },
      resolve: (ids) => {
        const others = ids.values();
        const all = known.map((id) => id ?? others.next().value);
        resolve(all.every((id) => id !== undefined) ? all : []);
      },
    };
  });
  return { ...work, lead, calls };
}

export function countDrafts({ calls, lead }: BatchWork): number {
  return calls.reduce((count, { drafts }) => count + drafts.length, lead.length);
}

/** Ids of every call of a stored batch, in its order. */
export function idsOfCalls({ work, first }: Batch): readonly (readonly EventId[])[] {
  let number = first.number + work.lead.length;
  return work.calls.map((call) =>
    call.drafts.map(() => ({ generation: first.generation, number: number++ })),
  );
}
