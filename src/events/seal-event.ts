// A draft and its number -> the CloudEvent as JSON text: the exact bytes that are stored, published and shown.
import { type CloudEvent, type EventDraft, type EventId, formatEventId } from '../contracts/event.ts';

export interface Sealing {
  /** CloudEvents `source`: urn:autoweave:<tenant>:<site>:<appliance> */
  readonly source: string;
  readonly bootId: string;
  readonly simulated: boolean;
}

/** 9999-12-31: RFC 3339 has four digits for the year. */
const LATEST_MS = 253_402_300_799_999;

/** The order of the keys is fixed, so that the same event is always the same bytes. */
export function sealEvent(draft: EventDraft, id: EventId, sealing: Sealing): string {
  const { observed } = draft;
  const event: Omit<CloudEvent, 'data'> = {
    specversion: '1.0',
    id: formatEventId(id),
    source: sealing.source,
    type: draft.type,
    subject: draft.subject,
    time: new Date(within(observed.wallMs, LATEST_MS)).toISOString(),
    datacontenttype: 'application/json',
    traceparent: draft.traceparent,
    clock: observed.synced ? 'synced' : 'unsynced',
    bootid: sealing.bootId,
    uptimems: within(observed.uptimeMs, Number.MAX_SAFE_INTEGER),
    ...(sealing.simulated && { simulated: true }),
  };
  return `${JSON.stringify(event).slice(0, -1)},"data":${draft.dataJson ?? JSON.stringify(draft.data)}}`;
}

/** A whole number from 0 to `most`, whatever the clock said: a dead battery must not cost an event. */
function within(value: number, most: number): number {
  return Number.isNaN(value) ? 0 : Math.trunc(Math.min(Math.max(value, 0), most));
}
