// What every answer carries: whose it is, when it was made, and whether that time can be trusted.
import { type TSchema, Type } from 'typebox';
import type { Clock } from '../../contracts/clock.ts';
import { type EventId, formatEventId } from '../../contracts/event.ts';
import { type ApplianceName, sourceOf } from '../../contracts/topics.ts';

const fields = {
  source: Type.String({ description: 'As in the events: urn:autoweave:<tenant>:<site>:<appliance>' }),
  simulated: Type.Boolean({ description: 'The USB devices are replayed captures.' }),
  time: Type.String({ description: 'RFC 3339; when this answer was made' }),
  clock: Type.Union([Type.Literal('synced'), Type.Literal('unsynced')]),
  lastEventId: Type.Union([Type.String(), Type.Null()]),
};

export interface Stamp {
  readonly source: string;
  readonly simulated: boolean;
  readonly time: string;
  readonly clock: 'synced' | 'unsynced';
  readonly lastEventId: string | null;
}

export function stamped(properties: Readonly<Record<string, TSchema>>): TSchema {
  return Type.Object({ ...fields, ...properties }, { additionalProperties: false });
}

export function createStamp(options: {
  readonly appliance: ApplianceName;
  readonly simulated: boolean;
  readonly clock: Pick<Clock, 'now'>;
  readonly lastId: () => EventId | null;
}): () => Stamp {
  const source = sourceOf(options.appliance);
  return () => {
    const { wallMs, synced } = options.clock.now();
    const last = options.lastId();
    return {
      source,
      simulated: options.simulated,
      time: new Date(wallMs).toISOString(),
      clock: synced ? 'synced' : 'unsynced',
      lastEventId: last === null ? null : formatEventId(last),
    };
  };
}
