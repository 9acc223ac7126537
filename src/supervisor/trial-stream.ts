// The stream of events in memory, for trying a plugin at a desk: numbered, read and acknowledged like the one on disk.
import type { AppendEvents, Cursor, ReadEvents } from '../contracts/buffer.ts';
import {
  compareEventIds,
  type EventDraft,
  type EventId,
  START,
  type StoredEvent,
} from '../contracts/event.ts';

export interface TrialStream {
  readonly append: AppendEvents;
  readonly read: ReadEvents;
  readonly onAppended: (listener: (lastId: EventId) => void) => () => void;
  openConsumer(): Promise<Cursor>;
}

export function createTrialStream(
  seal: (draft: EventDraft, id: EventId) => string,
  onStored: (event: StoredEvent) => void,
): TrialStream {
  const events: StoredEvent[] = [];
  const listeners = new Set<(lastId: EventId) => void>();
  let place = START;
  const cursor: Cursor = {
    get position() {
      return place;
    },
    acknowledge(id) {
      if (compareEventIds(id, place) > 0) place = id;
    },
  };
  return {
    async append(drafts) {
      const stored = drafts.map((draft): StoredEvent => {
        const id = { generation: 1, number: events.length + 1 };
        const event = { id, type: draft.type, json: seal(draft, id) };
        events.push(event);
        return event;
      });
      for (const event of stored) onStored(event);
      const last = stored.at(-1)?.id;
      if (last !== undefined) for (const listener of listeners) listener(last);
      return stored.map(({ id }) => id);
    },
    async read(from, count) {
      const first = from.generation === 0 ? 0 : from.number;
      const page = events.slice(first, first + count);
      return { events: page, position: page.at(-1)?.id ?? from };
    },
    onAppended(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    openConsumer: async () => cursor,
  };
}
