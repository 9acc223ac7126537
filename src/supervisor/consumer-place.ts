// A consumer's place in the stream while Redis may still be away: it starts at once (the broker is connected, so that the centre
// hears how the appliance is), and its first read waits until the durable cursor can be opened.
import type { EventBuffer } from '../buffer/open-buffer.ts';
import type { ConsumerName, ConsumerOptions, Cursor, ReadEvents } from '../contracts/buffer.ts';
import { compareEventIds, type EventId, START } from '../contracts/event.ts';

export interface ConsumerPlace {
  readonly cursor: Cursor;
  readonly read: ReadEvents;
}

export function consumerPlace(
  buffer: Pick<EventBuffer, 'openConsumer' | 'read'>,
  name: ConsumerName,
  options: ConsumerOptions,
): ConsumerPlace {
  let opened: Cursor | null = null;
  const opening = buffer.openConsumer(name, options).then((cursor) => {
    opened = cursor;
    return cursor;
  });
  // Rejects only when the buffer stops; whoever waits in `read` hears of it there.
  opening.catch(() => undefined);
  return {
    cursor: {
      get position() {
        return opened?.position ?? START;
      },
      acknowledge: (id) => opened?.acknowledge(id),
    },
    async read(from, count) {
      const { position } = await opening;
      return buffer.read(later(from, position), count);
    },
  };
}

function later(a: EventId, b: EventId): EventId {
  return compareEventIds(a, b) < 0 ? b : a;
}
