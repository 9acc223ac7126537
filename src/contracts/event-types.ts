// Every event type and the schema of its `data`: documentation, validation and TypeScript type in one place.
import { type Static, type TSchema, Type } from 'typebox';
import { UsbDevice, UsbPort, UsbReadiness } from './usb-device.ts';
import { UsbVerdict } from './usb-policy.ts';

const closed = { additionalProperties: false } as const;
const Source = Type.Union([
  Type.Literal('kernel'),
  Type.Literal('udev'),
  Type.Literal('spool'),
  Type.Literal('scan'),
  Type.Literal('libusb'),
]);
const Count = Type.Integer({ minimum: 0 });
const Uptime = Type.Union([Type.Number({ minimum: 0 }), Type.Null()]);

/** What all changes of one device share. */
const changeFields = {
  source: Source,
  seqnum: Type.Union([Count, Type.Null()], { description: 'uevent sequence number of this boot' }),
  reconciled: Type.Optional(
    Type.Literal(true, { description: 'Found by a scan or the spool, not seen live.' }),
  ),
  folded: Type.Optional(
    Type.Integer({
      minimum: 1,
      description: 'Transitions of the same device folded into this one by debounce.',
    }),
  ),
};

export const eventTypes = {
  'usb.device.added': Type.Object({ ...changeFields, device: UsbDevice }, closed),
  'usb.device.ready': Type.Object({ ...changeFields, device: UsbDevice, readiness: UsbReadiness }, closed),
  'usb.device.changed': Type.Object({ ...changeFields, device: UsbDevice, was: UsbDevice }, closed),
  'usb.device.removed': Type.Object(
    {
      ...changeFields,
      port: UsbPort,
      device: Type.Union([UsbDevice, Type.Null()], { description: 'As it was last known.' }),
    },
    closed,
  ),
  'usb.device.blocked': Type.Object(
    { port: UsbPort, device: UsbDevice, verdict: UsbVerdict },
    { ...closed, description: 'The policy keeps this device from working: no driver is bound to it.' },
  ),
  'usb.device.suspected': Type.Object(
    {
      port: UsbPort,
      score: Type.Integer({ minimum: 0 }),
      evidence: Type.Array(
        Type.Object({ code: Type.String(), points: Type.Integer(), why: Type.String() }, closed),
        { maxItems: 32 },
      ),
      blocked: Type.Boolean({ description: 'Whether policy.guard is block.' }),
    },
    { ...closed, description: 'A device behaves like an attack: what speaks for it, and how much.' },
  ),
  'usb.policy.changed': Type.Object(
    {
      state: Type.Union([
        Type.Literal('in-force'),
        Type.Literal('on-probation'),
        Type.Literal('returned'),
        Type.Literal('refused'),
        Type.Literal('override-begun'),
        Type.Literal('override-ended'),
      ]),
      rules: Count,
      why: Type.String(),
    },
    closed,
  ),
  'usb.device.reconciled': Type.Object(
    {
      reason: Type.Union([
        Type.Literal('start'),
        Type.Literal('monitor-exit'),
        Type.Literal('monitor-stall'),
        Type.Literal('timer'),
      ]),
      certainty: Type.Union([Type.Literal('complete'), Type.Literal('net-state-only')]),
      present: Count,
      added: Count,
      removed: Count,
      changed: Count,
      blindSinceUptimeMs: Uptime,
    },
    {
      ...closed,
      description:
        'A scan compared the bus with what was known; the differences precede it as events of their own.',
    },
  ),
  'usb.suppressed': Type.Object(
    {
      port: Type.Union([UsbPort, Type.Null()], { description: 'null: the limit over all ports' }),
      added: Count,
      removed: Count,
      other: Count,
      fromUptimeMs: Type.Number(),
      toUptimeMs: Type.Number(),
    },
    closed,
  ),
  'usb.source.lost': Type.Object({ source: Source, why: Type.String() }, closed),
  'usb.source.restored': Type.Object({ source: Source, why: Type.String() }, closed),
  'buffer.gap': Type.Object(
    {
      reason: Type.Union([
        Type.Literal('memory-queue-full', {
          description: 'Redis was away for longer than the memory queue holds; these never had an id.',
        }),
        Type.Literal('damaged-entry', {
          description: 'A stored entry failed its checksum and is not delivered.',
        }),
        Type.Literal('too-large', { description: 'The broker accepts no message of that size.' }),
      ]),
      count: Count,
      from: Type.Optional(Type.String({ description: 'First event id missing' })),
      to: Type.Optional(Type.String({ description: 'Last event id missing' })),
      fromUptimeMs: Type.Optional(Type.Number()),
      toUptimeMs: Type.Optional(Type.Number()),
    },
    closed,
  ),
  'buffer.generation': Type.Object(
    {
      why: Type.String(),
      previousGeneration: Type.Integer({ minimum: 0, description: '0: none is known.' }),
      previousNumber: Type.Integer({
        minimum: 0,
        description: 'Last number of the previous generation that the store still has.',
      }),
      publishedNumber: Type.Integer({
        minimum: 0,
        description: 'Highest number of the previous generation that may have been published.',
      }),
    },
    {
      ...closed,
      description:
        'First event of a new generation: no earlier state was found, or the store was lost, restored or rolled back.',
    },
  ),
  'uplink.connected': Type.Object(
    { protocolVersion: Type.Integer(), receiveMaximum: Count, sessionPresent: Type.Boolean() },
    closed,
  ),
  'uplink.lost': Type.Object({ why: Type.String(), connectedSeconds: Type.Number() }, closed),
  'system.started': Type.Object(
    { version: Type.String(), node: Type.String(), unclean: Type.Boolean() },
    closed,
  ),
  'system.stopping': Type.Object({ why: Type.String() }, closed),
  'system.clock-synchronized': Type.Object(
    {
      offsetMs: Type.Number({
        description: 'wall time minus uptime: true time of an event = uptimems + offsetMs',
      }),
    },
    closed,
  ),
} as const satisfies Record<string, TSchema>;

export type EventType = keyof typeof eventTypes;
export type EventData<T extends EventType> = Static<(typeof eventTypes)[T]>;
