// How every part says how it is; the page, LED, console, MQTT and CLI all take it from here [S7].
import { type Static, Type } from 'typebox';

/** `unknown` is a state of its own: it is shown as unknown, never as good. */
export const PartState = Type.Union([
  Type.Literal('ok'),
  Type.Literal('degraded'),
  Type.Literal('down'),
  Type.Literal('unknown'),
]);
export type PartState = Static<typeof PartState>;

export const PartHealth = Type.Object(
  {
    state: PartState,
    why: Type.String({
      description: 'One sentence: what this state rests on; with the remedy where a person can act.',
    }),
    since: Type.String({ description: 'RFC 3339 time at which this state began.' }),
    ageSeconds: Type.Number({ description: 'Seconds since the state was last confirmed.' }),
    clock: Type.Union([Type.Literal('synced'), Type.Literal('unsynced')], {
      description: 'Whether `since` rests on a synchronized clock.',
    }),
  },
  { additionalProperties: false },
);
export type PartHealth = Static<typeof PartHealth>;

export const HealthReport = Type.Object(
  {
    state: Type.Union([...PartState.anyOf], {
      description:
        'down: the bus is not watched or events are not stored; degraded: something else is wrong.',
    }),
    simulated: Type.Boolean({
      description: 'True when the USB devices are replayed captures, not a real bus.',
    }),
    parts: Type.Record(Type.String(), PartHealth),
  },
  { additionalProperties: false },
);
export type HealthReport = Static<typeof HealthReport>;

/** How a part reports; the supervisor hands each part a reporter bound to its name. Saying the same again confirms it. */
export type ReportHealth = (state: PartState, why: string) => void;
