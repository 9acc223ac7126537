// The end of the lane: what the spool or the store has told already is left out, the rest is noted and handed on.
import type { Clock } from '../contracts/clock.ts';
import type { UsbChange, UsbState } from '../contracts/usb-change.ts';
import { type BusView, createBusView } from './bus-view.ts';
import { createOrderedLane, type OrderedLane } from './ordered-lane.ts';

export interface HandOver {
  readonly lane: OrderedLane;
  readonly view: BusView;
  /** Plugs with these numbers have been told from the spool. */
  cover(seqnums: Iterable<number>): void;
}

export function createHandOver(options: {
  readonly clock: Clock;
  readonly known: UsbState | null;
  readonly take: (changes: readonly UsbChange[]) => void;
  readonly onFailure: (cause: unknown) => void;
}): HandOver {
  const { clock, known, take } = options;
  const view = createBusView(known?.devices ?? []);
  const spooled = new Set<number>();
  const isTold = (change: UsbChange) =>
    (change.source === 'kernel' || change.source === 'udev') &&
    (change.kind === 'attached' || change.kind === 'detached') &&
    change.seqnum !== null &&
    (spooled.has(change.seqnum) || (known !== null && change.seqnum <= known.seqnum));
  const lane = createOrderedLane((changes) => {
    const news = changes.filter((change) => !isTold(change));
    for (const change of news) view.apply(change, clock.uptimeMs());
    if (news.length > 0) take(news);
  }, options.onFailure);
  return {
    lane,
    view,
    cover(seqnums) {
      for (const seqnum of seqnums) spooled.add(seqnum);
    },
  };
}
