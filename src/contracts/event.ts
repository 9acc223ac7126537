// The event as it is stored, published and shown: CloudEvents 1.0, JSON, structured mode (DESIGN.md section 3).
import { type Static, Type } from 'typebox';
import type { Instant } from './clock.ts';

/** `<generation>-<number>`, consecutive from 1 within a generation, over all event types of one appliance. */
export const EventIdText = Type.String({ pattern: '^[1-9][0-9]{0,15}-[1-9][0-9]{0,15}$' });
export interface EventId {
  readonly generation: number;
  readonly number: number;
}

export function formatEventId(id: EventId): string {
  return `${id.generation}-${id.number}`;
}

/** Text -> id, or null when it is none; accepts `0-0` to `<generation>-0` as positions before a first event. */
export function parseEventId(text: string): EventId | null {
  const match = /^(\d{1,16})-(\d{1,16})$/.exec(text);
  if (match === null) return null;
  const [generation, number] = [Number(match[1]), Number(match[2])];
  return Number.isSafeInteger(generation) && Number.isSafeInteger(number) ? { generation, number } : null;
}

/** Negative when `a` comes before `b`. */
export function compareEventIds(a: EventId, b: EventId): number {
  return a.generation - b.generation || a.number - b.number;
}

/** The position before everything. */
export const START: EventId = { generation: 0, number: 0 };

/** An event before it has a number. Made by events/, the supervisor and the buffer itself. */
export interface EventDraft {
  readonly type: string;
  readonly subject: string;
  readonly observed: Instant;
  readonly traceparent: string;
  readonly data: Readonly<Record<string, unknown>>;
  /** The same as JSON, where it is kept so; then `data` is parsed anew each time. */
  readonly dataJson?: string;
}

export const CloudEvent = Type.Object(
  {
    specversion: Type.Literal('1.0'),
    id: EventIdText,
    source: Type.String({ pattern: '^urn:autoweave:[A-Za-z0-9._-]+:[A-Za-z0-9._-]+:[A-Za-z0-9._-]+$' }),
    type: Type.String({ pattern: '^[a-z]+(\\.[a-z0-9-]+)+$', maxLength: 128 }),
    subject: Type.String({ minLength: 1, maxLength: 256 }),
    time: Type.String({
      pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\\.[0-9]{3}Z$',
      description: "RFC 3339, UTC, as the machine's clock said",
    }),
    datacontenttype: Type.Literal('application/json'),
    traceparent: Type.String({
      pattern: '^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$',
      description: 'W3C trace context',
    }),
    clock: Type.Union([Type.Literal('synced'), Type.Literal('unsynced')]),
    bootid: Type.String({ pattern: '^[0-9a-f-]{36}$' }),
    uptimems: Type.Integer({
      minimum: 0,
      description:
        'Milliseconds since that boot: with a later clock.synchronized event it gives the true time',
    }),
    simulated: Type.Optional(Type.Literal(true)),
    data: Type.Record(Type.String(), Type.Unknown()),
  },
  { additionalProperties: false },
);
export type CloudEvent = Static<typeof CloudEvent>;

/** An event that Redis has acknowledged: `json` is the CloudEvent's exact bytes, published as they are. */
export interface StoredEvent {
  readonly id: EventId;
  readonly type: string;
  readonly json: string;
}
