// The two retained documents of an appliance: its state (birth, death, health) and its inventory.
import { type Static, Type } from 'typebox';
import { HealthReport } from './health.ts';
import { UsbDevice } from './usb-device.ts';

const closed = { additionalProperties: false } as const;
const Stamp = {
  source: Type.String({ description: 'As in the events: urn:autoweave:<tenant>:<site>:<appliance>' }),
  bootid: Type.String(),
  time: Type.String({ description: 'RFC 3339; when this document was made' }),
  clock: Type.Union([Type.Literal('synced'), Type.Literal('unsynced')]),
};

/** Birth: published retained at once after every connect, and again when the health changes. */
export const OnlineState = Type.Object(
  {
    online: Type.Literal(true),
    ...Stamp,
    uptimems: Type.Integer({ minimum: 0 }),
    version: Type.String(),
    simulated: Type.Boolean(),
    connectedSince: Type.String(),
    lastEventId: Type.Union([Type.String(), Type.Null()]),
    health: HealthReport,
  },
  closed,
);

/** Death: the will (`reason: "lost"`), or published by an orderly stop. `time` is that of the connect in a will. */
export const OfflineState = Type.Object(
  {
    online: Type.Literal(false),
    ...Stamp,
    reason: Type.Union([Type.Literal('lost'), Type.Literal('stopped')]),
  },
  closed,
);

export const StateDocument = Type.Union([OnlineState, OfflineState]);
export type StateDocument = Static<typeof StateDocument>;

export const InventoryDocument = Type.Object(
  {
    ...Stamp,
    simulated: Type.Boolean(),
    /** The events up to here are contained in the list. */
    lastEventId: Type.Union([Type.String(), Type.Null()]),
    devices: Type.Array(UsbDevice),
  },
  closed,
);
export type InventoryDocument = Static<typeof InventoryDocument>;
