// Changes in the order in which they were seen, although some need time to be read. One slow device holds the others back
// for as long as a reading may take, never longer; what is ready with nothing before it is handed over at once.
import type { UsbChange } from '../contracts/usb-change.ts';

type Changes = readonly UsbChange[];

export interface OrderedLane {
  push(changes: Changes | Promise<Changes>): void;
  /** Resolves once everything pushed so far has been handed over. */
  drained(): Promise<void>;
}

interface Place {
  changes: Changes | null;
  readonly handedOver?: () => void;
}

/** `onFailure` is told why a promise failed; its place is then empty. */
export function createOrderedLane(
  take: (changes: Changes) => void,
  onFailure: (cause: unknown) => void,
): OrderedLane {
  let queue: Place[] = [];

  const flush = () => {
    const firstOpen = queue.findIndex(({ changes }) => changes === null);
    const done = firstOpen === -1 ? queue : queue.slice(0, firstOpen);
    queue = firstOpen === -1 ? [] : queue.slice(firstOpen);
    const changes = done.flatMap((place) => place.changes ?? []);
    if (changes.length > 0) take(changes);
    for (const { handedOver } of done) handedOver?.();
  };

  return {
    push(changes) {
      if (!(changes instanceof Promise)) {
        queue.push({ changes });
        if (queue.length === 1) flush();
        return;
      }
      const place: Place = { changes: null };
      queue.push(place);
      const settle = (settled: Changes) => {
        place.changes = settled;
        if (queue[0] === place) flush();
      };
      changes.then(settle, (cause: unknown) => {
        onFailure(cause);
        settle([]);
      });
    },
    async drained() {
      if (queue.length === 0) return;
      await new Promise<void>((resolve) => queue.push({ changes: [], handedOver: resolve }));
    },
  };
}
