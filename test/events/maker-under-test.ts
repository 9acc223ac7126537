// An event maker whose output a reader follows; randomness of the trace ids is a counter.
import type { Instant } from '../../src/contracts/clock.ts';
import type { EventDraft } from '../../src/contracts/event.ts';
import type { UsbChange, UsbState } from '../../src/contracts/usb-change.ts';
import { createEventMaker, type EventMaker, type EventMakerOptions } from '../../src/events/event-maker.ts';
import { type RecordingMetrics, recordingMetrics } from '../support/recording-metrics.ts';
import { EventReader } from './event-reader.ts';
import { BOOT } from './usb-bus.ts';

export type Limits = EventMakerOptions['limits'];

/** No debounce and no limit that a test could meet by accident. */
export const atOnce: Limits = {
  debounceMs: 0,
  portEventsPerSecond: 1e6,
  portBurst: 1e6,
  eventsPerSecond: 1e6,
  burst: 1e6,
};

export interface Setup {
  readonly limits?: Partial<Limits>;
  readonly bootId?: string;
  readonly known?: UsbState | null;
  readonly metrics?: RecordingMetrics;
  readonly reader?: EventReader;
}

export class MakerUnderTest {
  readonly maker: EventMaker;
  readonly metrics: RecordingMetrics;
  readonly reader: EventReader;

  constructor({ limits, bootId = BOOT, known = null, metrics, reader }: Setup = {}) {
    this.metrics = metrics ?? recordingMetrics();
    this.reader = reader ?? new EventReader();
    let made = 0;
    this.maker = createEventMaker({
      limits: { ...atOnce, ...limits },
      bootId,
      known,
      metrics: this.metrics.events,
      traceparent: () => {
        made += 1;
        return `00-${made.toString(16).padStart(32, '0')}-00000000000000ff-01`;
      },
    });
  }

  take(...changes: readonly UsbChange[]): readonly EventDraft[] {
    return changes.flatMap((change) => this.reader.read(this.maker.take(change)));
  }

  /** Calls due() at exactly the times it asks for, up to `uptimeMs`; fails when that never ends. */
  runTo(uptimeMs: number): readonly EventDraft[] {
    const drafts: EventDraft[] = [];
    for (let calls = 0; ; calls += 1) {
      const next = this.maker.nextDueMs();
      if (next === null || next > uptimeMs) return drafts;
      if (calls > 100_000) throw new Error(`runTo: due() at ${next} again and again`);
      drafts.push(...this.reader.read(this.maker.due(next)));
    }
  }

  flush(observed: Instant): readonly EventDraft[] {
    return this.reader.read(this.maker.flush(observed));
  }

  words(): string[] {
    return this.reader.words();
  }
}
