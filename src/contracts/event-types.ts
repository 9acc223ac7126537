// Every event type and the schema of its `data`: documentation, validation and TypeScript type in one place.
import { type Static, type TSchema, Type } from 'typebox';
import { PluginStateName } from './plugin-status.ts';
import { UsbDevice, UsbPort, UsbReadiness } from './usb-device.ts';
import { UsbVerdict } from './usb-policy.ts';
import { UsbPortFault } from './usb-port-state.ts';

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

/** Every transition of a plugin is an event: `plugin.<state it is in now>`. */
const pluginTransition = (description: string) =>
  Type.Object(
    {
      name: Type.String(),
      version: Type.Union([Type.String(), Type.Null()]),
      from: PluginStateName,
      reason: Type.String(),
      code: Type.Optional(Type.String({ description: 'Stable code of a failure or refusal' })),
      retryInMs: Type.Optional(Type.Number({ minimum: 0, description: 'When it is tried again' })),
    },
    { ...closed, description },
  );

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
  'usb.device.allowed': Type.Object(
    { port: UsbPort, device: UsbDevice, verdict: UsbVerdict },
    { ...closed, description: 'A device that was blocked may work: the policy has changed, or an override.' },
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
  'usb.port.failed': Type.Object(
    {
      port: UsbPort,
      code: UsbPortFault,
      why: Type.String({ description: "The kernel's own words." }),
      remedy: Type.String(),
      times: Type.Integer({ minimum: 1, description: 'Failures in a row at this port, with this one.' }),
      atUptimeMs: Type.Number({ minimum: 0 }),
    },
    { ...closed, description: 'Something was plugged in, or still is, that does not work as a device.' },
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
        Type.Literal('damaged-archive', {
          description: 'A part of the archive cannot be read; its events are not delivered.',
        }),
        Type.Literal('disk-bound', {
          description: 'Given up to keep the archive within its bytes or the disk from filling up.',
        }),
        Type.Literal('age-bound', { description: 'Given up because older than buffer.maxAgeHours.' }),
        Type.Literal('count-bound', { description: 'Given up because of buffer.maxEvents.' }),
      ]),
      count: Count,
      from: Type.Optional(Type.String({ description: 'First event id missing' })),
      to: Type.Optional(Type.String({ description: 'Last event id missing' })),
      runs: Type.Optional(
        Type.Array(Type.Array(Count, { minItems: 2, maxItems: 2 }), {
          minItems: 1,
          maxItems: 500,
          description:
            'Where not everything between `from` and `to` is missing: first and last number of each run that is, all of the same generation',
        }),
      ),
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
  'buffer.spilled': Type.Object(
    {
      state: Type.Union([Type.Literal('begun'), Type.Literal('ended')]),
      events: Type.Integer({ minimum: 0, description: 'Moved to the archive since it began' }),
      why: Type.String(),
    },
    { ...closed, description: 'The archive began to hold events, or is empty again.' },
  ),
  'buffer.cursor-expired': Type.Object(
    {
      consumer: Type.String(),
      why: Type.Union([
        Type.Literal('removed'),
        Type.Literal('not-opened', { description: 'Nothing of that name runs any more.' }),
        Type.Literal('blocked', { description: 'It has not read on for buffer.consumerIdleHours.' }),
      ]),
      count: Type.Integer({ minimum: 0, description: 'Events that it did not get' }),
      acknowledged: Type.String({ description: 'It had acknowledged the events up to this id; 0-0: none' }),
      to: Type.String({ description: 'Last event id that it did not get' }),
    },
    { ...closed, description: 'A consumer lost its place; other consumers still get these events.' },
  ),
  'plugin.discovered': pluginTransition('It is stored on the appliance.'),
  'plugin.validating': pluginTransition('Signature, manifest, permissions and policy are looked at.'),
  'plugin.rejected': pluginTransition('It may not run here; none of its code did.'),
  'plugin.loading': pluginTransition('Its limits are set and its files unpacked.'),
  'plugin.starting': pluginTransition('Its process runs, its own start is not through.'),
  'plugin.running': pluginTransition('It gets events.'),
  'plugin.stopping': pluginTransition('It was asked to end.'),
  'plugin.stopped': pluginTransition('It does not run, as asked.'),
  'plugin.failed': pluginTransition('It ended by itself or could not start; it is tried again.'),
  'plugin.blocked': pluginTransition(
    'It is not started again until somebody enables it, or until retryInMs.',
  ),
  'plugin.installed': Type.Object(
    {
      name: Type.String(),
      version: Type.String(),
      previous: Type.Union([Type.String(), Type.Null()]),
      how: Type.Union([
        Type.Literal('installed'),
        Type.Literal('upgraded'),
        Type.Literal('rolled-back'),
        Type.Literal('rolled-back-by-itself', { description: 'The new version did not stay up.' }),
      ]),
      sha256: Type.String(),
      signedBy: Type.Array(Type.String()),
      gapMs: Type.Optional(Type.Number({ minimum: 0, description: 'How long neither version ran' })),
    },
    closed,
  ),
  'plugin.removed': Type.Object({ name: Type.String(), version: Type.String() }, closed),
  'plugin.parked': Type.Object(
    {
      name: Type.String(),
      version: Type.String(),
      event: Type.String({ description: 'Id of the event that was put aside' }),
      type: Type.String(),
      tries: Count,
      why: Type.String(),
    },
    { ...closed, description: 'A plugin could not handle an event in so many tries and goes on without it.' },
  ),
  'security.trust-changed': Type.Object(
    {
      version: Type.Integer({ minimum: 1 }),
      previous: Type.Union([Type.Integer({ minimum: 1 }), Type.Null()], {
        description: 'The version that was in force before; null: this is the first',
      }),
    },
    { ...closed, description: 'Another trust document says who may sign plugins.' },
  ),
  'security.violation': Type.Object(
    {
      plugin: Type.String(),
      what: Type.Union([
        Type.Literal('message', { description: 'Its process sent what the protocol does not allow.' }),
        Type.Literal('rate', { description: 'More messages than its level allows.' }),
        Type.Literal('log', { description: 'More log than is kept.' }),
        Type.Literal('permission', { description: 'It asked for what its manifest does not declare.' }),
        Type.Literal('memory'),
        Type.Literal('processes', { description: 'It was refused a process or thread.' }),
        Type.Literal('unresponsive'),
      ]),
      detail: Type.String(),
      count: Type.Integer({ minimum: 1, description: 'Since the last report' }),
      action: Type.Union([
        Type.Literal('reported'),
        Type.Literal('throttled'),
        Type.Literal('killed'),
        Type.Literal('blocked'),
      ]),
    },
    closed,
  ),
  'security.contained': Type.Object(
    {
      plugin: Type.String(),
      layer: Type.String({ description: 'What ended it: stop, terminate, sigkill, cgroup.kill, memory.max' }),
      why: Type.String(),
      ms: Type.Number({ minimum: 0, description: 'From the finding until no process of it was left' }),
    },
    closed,
  ),
  'uplink.connected': Type.Object(
    { protocolVersion: Type.Integer(), receiveMaximum: Count, sessionPresent: Type.Boolean() },
    closed,
  ),
  'uplink.lost': Type.Object({ why: Type.String(), connectedSeconds: Type.Number() }, closed),
  'uplink.webhook-disabled': Type.Object(
    { webhook: Type.String(), why: Type.String() },
    { ...closed, description: 'The receiver wants no more events, and gets none until the next start.' },
  ),
  'uplink.webhook-skipped': Type.Object(
    { webhook: Type.String(), id: Type.String({ description: 'Of the event' }), why: Type.String() },
    { ...closed, description: 'One event did not go to one receiver; all the others get it.' },
  ),
  'system.started': Type.Object(
    { version: Type.String(), node: Type.String(), unclean: Type.Boolean() },
    closed,
  ),
  'system.stopping': Type.Object({ why: Type.String() }, closed),
  'system.boot-note': Type.Object(
    {
      part: Type.String({ description: 'data, network, watchdog …' }),
      code: Type.String({ description: 'Stable, such as `repaired`' }),
      text: Type.String(),
      atUptimeMs: Count,
    },
    { ...closed, description: 'What the start of the machine found; once for each boot.' },
  ),
  'system.configuration-refused': Type.Object(
    {
      code: Type.String({ description: 'Such as `config.unknown-key`' }),
      field: Type.Union([Type.String(), Type.Null()], { description: 'null: the whole file' }),
      reason: Type.String(),
      atUptimeMs: Count,
    },
    { ...closed, description: 'The provisioning file is not used at all; one event for each thing wrong.' },
  ),
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
