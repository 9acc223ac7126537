// An event that waits for Redis, with its data as text: parsed, the same data may take twenty times as much memory. Runs on the
// daemon's thread.
import type { Instant } from '../contracts/clock.ts';
import type { EventDraft } from '../contracts/event.ts';

/** What the rest of a waiting event takes, about. */
const REST_BYTES = 500;

export class HeldDraft implements EventDraft {
  readonly type: string;
  readonly subject: string;
  readonly observed: Instant;
  readonly traceparent: string;
  readonly dataJson: string;

  constructor({ data, dataJson, observed, subject, traceparent, type }: EventDraft) {
    this.type = type;
    this.subject = subject;
    this.observed = observed;
    this.traceparent = traceparent;
    this.dataJson = dataJson ?? JSON.stringify(data);
  }

  get data(): EventDraft['data'] {
    return JSON.parse(this.dataJson) as EventDraft['data'];
  }

  get bytes(): number {
    return this.dataJson.length + REST_BYTES;
  }
}
