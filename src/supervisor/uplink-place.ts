// The uplink's place in the stream while Redis may still be away: the broker is connected at once, so that the centre hears
// how the appliance is; the first read waits until the durable cursor can be opened.
import type { EventBuffer } from '../buffer/open-buffer.ts';
import type { Cursor, ReadEvents } from '../contracts/buffer.ts';
import { compareEventIds, type EventId, START } from '../contracts/event.ts';

export interface UplinkPlace {
  readonly cursor: Cursor;
  readonly read: ReadEvents;
}

export function uplinkPlace(buffer: Pick<EventBuffer, 'openConsumer' | 'read'>): UplinkPlace {
  let opened: Cursor | null = null;
  const opening = buffer.openConsumer('uplink', { from: 'start', mayExpire: false }).then((cursor) => {
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
