// What the operator lets plugins have, whatever they ask for and whoever signed them.
import { type Static, Type } from 'typebox';
import { PluginName, SecurityLevel } from './plugin-manifest.ts';

const closed = { additionalProperties: false } as const;
const UsbNumber = Type.String({ pattern: '^[0-9a-f]{4}$' });

export const PluginPolicy = Type.Object(
  {
    names: Type.Optional(
      Type.Array(PluginName, { maxItems: 256, description: 'Only these; left out: any that is trusted.' }),
    ),
    channels: Type.Array(Type.Union([Type.Literal('stable'), Type.Literal('beta'), Type.Literal('dev')]), {
      uniqueItems: true,
      description: 'Release channels that may be installed.',
    }),
    levels: Type.Array(SecurityLevel, {
      uniqueItems: true,
      description: 'Security levels that may be declared.',
    }),
    memoryMaxBytes: Type.Integer({
      minimum: 33_554_432,
      description: 'The most that one plugin may ask for.',
    }),
    cpuMaxPercent: Type.Integer({ minimum: 1, maximum: 100, description: 'Of one core.' }),
    kvMaxBytes: Type.Integer({ minimum: 0, description: '0: no storage.' }),
    emit: Type.Boolean({ description: 'Whether plugins may emit events of their own.' }),
    mqtt: Type.Boolean({ description: 'Whether plugins may publish below their own topic.' }),
    serial: Type.Union([
      Type.Literal('any'),
      Type.Array(Type.Object({ vendor: UsbNumber, product: Type.Optional(UsbNumber) }, closed), {
        maxItems: 256,
      }),
    ]),
  },
  { ...closed, description: 'What plugins may have, whatever they ask for and whoever signed them.' },
);
export type PluginPolicy = Static<typeof PluginPolicy>;

/** Whoever may sign plugins is trusted with what they declare; an operator narrows it. */
export const defaultPluginPolicy: PluginPolicy = {
  channels: ['stable', 'beta', 'dev'],
  levels: ['low', 'medium', 'high'],
  memoryMaxBytes: 1_073_741_824,
  cpuMaxPercent: 100,
  kvMaxBytes: 16_777_216,
  emit: true,
  mqtt: true,
  serial: 'any',
};
