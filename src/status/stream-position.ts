// Where a listener of the event stream starts, from what it asked for. Pure.
import { compareEventIds, type EventId, formatEventId, parseEventId } from '../contracts/event.ts';

/** Told to a listener as an event named `stream.notice`; what follows it is live again. */
export interface StreamNotice {
  readonly code: 'stream.malformed-id' | 'stream.unknown-id' | 'stream.gap' | 'stream.buffer-away';
  readonly message: string;
  readonly remedy: string;
}

export interface StreamStart {
  /** The last event the listener has; null: from now on, but nobody knows yet where that is. */
  readonly from: EventId | null;
  /** A first event that does not follow `from` was asked for (`last`), it is no gap. */
  readonly mayJump: boolean;
  readonly notice: StreamNotice | null;
}

const MAX_LAST = 1_000;

export function streamStart(
  asked: { readonly lastEventId: string | null; readonly last: string | null },
  lastId: EventId | null,
): StreamStart {
  const live = { from: lastId, mayJump: false, notice: null };
  if (asked.lastEventId !== null && asked.lastEventId !== '') {
    const id = parseEventId(asked.lastEventId);
    if (id === null) {
      return {
        ...live,
        notice: {
          code: 'stream.malformed-id',
          message: `"${asked.lastEventId.slice(0, 40)}" is no event id: the stream goes on from now`,
          remedy: 'Send the id of the last event received, like 3-1841, or none.',
        },
      };
    }
    if (lastId === null || compareEventIds(id, lastId) <= 0) return { ...live, from: id };
    return {
      ...live,
      notice: {
        code: 'stream.unknown-id',
        message: `event ${formatEventId(id)} is not in the buffer, whose last is ${formatEventId(lastId)}: the stream goes on from now`,
        remedy: 'Was it an event of another appliance? Read the devices again to be sure of their state.',
      },
    };
  }
  if (asked.last !== null && lastId !== null && /^\d{1,6}$/.test(asked.last)) {
    const count = Math.min(Number(asked.last), MAX_LAST);
    const { generation, number } = lastId;
    return { from: { generation, number: Math.max(0, number - count) }, mayJump: true, notice: null };
  }
  return live;
}

/** What lies between the last event sent and the next one, or null when nothing is missing. */
export function gapBetween(before: EventId, next: EventId): StreamNotice | null {
  const sameGeneration = before.generation === next.generation;
  const expected = sameGeneration ? before.number + 1 : 1;
  if (next.number === expected) return null;
  const first = formatEventId({ generation: next.generation, number: expected });
  const last = formatEventId({ generation: next.generation, number: next.number - 1 });
  return {
    code: 'stream.gap',
    message: `the events ${first} to ${last} are no longer kept here`,
    remedy: 'Read the devices again to be sure of their state; the broker may have the events.',
  };
}
