// Where a listener of the event stream starts, from what it asked for; and what it is told where ids do not follow. Pure.
import { compareEventIds, type EventId, formatEventId, parseEventId } from '../contracts/event.ts';

/** Told to a listener as an event named `stream.notice`; what follows it is live again. */
export interface StreamNotice {
  readonly code:
    | 'stream.malformed-id'
    | 'stream.unknown-id'
    | 'stream.gap'
    | 'stream.new-generation'
    | 'stream.buffer-away';
  readonly message: string;
  readonly remedy: string;
}

export interface StreamAsked {
  readonly lastEventId: string | null;
  readonly last: string | null;
}

export interface StreamStart {
  /** The last event the listener has, or is taken to have. */
  readonly from: EventId;
  /** A first event that does not follow `from` is no gap. */
  readonly mayJump: boolean;
  readonly notice: StreamNotice | null;
}

const MAX_LAST = 1_000;

/**
 * @param lastId of the store
 * @param unseen how many events up to `lastId` may have been stored since the listener asked: it gets them, whatever it asked for
 */
export function streamStart(asked: StreamAsked, lastId: EventId, unseen = 0): StreamStart {
  const back = (count: number): EventId => ({ ...lastId, number: Math.max(0, lastId.number - count) });
  const live = { from: back(unseen), mayJump: unseen > 0, notice: null };
  if (asked.lastEventId !== null && asked.lastEventId !== '') {
    const id = parseEventId(asked.lastEventId);
    if (id === null) return { ...live, notice: malformedId(asked.lastEventId) };
    if (compareEventIds(id, lastId) > 0) return { ...live, notice: unknownId(id, lastId) };
    return { from: id, mayJump: false, notice: null };
  }
  if (asked.last !== null && /^\d{1,6}$/.test(asked.last)) {
    const count = Math.min(Number(asked.last), MAX_LAST);
    return { from: back(Math.max(count, unseen)), mayJump: true, notice: null };
  }
  return live;
}

/** What the listener is told between the last event sent and the next one; null where nothing is missing. */
export function noticeBetween(before: EventId, next: EventId): StreamNotice | null {
  const sameGeneration = before.generation === next.generation;
  const expected = sameGeneration ? before.number + 1 : 1;
  // A position before everything is in no generation that could have ended.
  const ended = !sameGeneration && before.generation > 0;
  if (next.number === expected) return ended ? newGeneration(before, next) : null;
  const first = formatEventId({ generation: next.generation, number: expected });
  const last = formatEventId({ generation: next.generation, number: next.number - 1 });
  const rest = ended ? `what followed ${formatEventId(before)} before the numbering began again, and ` : '';
  return {
    code: 'stream.gap',
    message: `${rest}the events ${first} to ${last} are no longer kept here`,
    remedy: 'Read the devices again to be sure of their state; the broker may have the events.',
  };
}

function newGeneration(before: EventId, next: EventId): StreamNotice {
  return {
    code: 'stream.new-generation',
    message: `the numbering began again: ${formatEventId(next)} follows ${formatEventId(before)}, and what was between them may be lost`,
    remedy: 'The event that follows says why; read the devices again to be sure of their state.',
  };
}

function malformedId(text: string): StreamNotice {
  return {
    code: 'stream.malformed-id',
    message: `"${text.slice(0, 40)}" is no event id: the stream goes on from now`,
    remedy: 'Send the id of the last event received, like 3-1841, or none.',
  };
}

function unknownId(id: EventId, lastId: EventId): StreamNotice {
  const newer = id.generation > lastId.generation ? ', and its generation is newer' : '';
  return {
    code: 'stream.unknown-id',
    message: `event ${formatEventId(id)} is not in the buffer, whose last is ${formatEventId(lastId)}${newer}: the stream goes on from now`,
    remedy:
      'It is of another appliance, or of a store that was replaced: read the devices again to be sure of their state.',
  };
}
