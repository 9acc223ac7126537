// What a plugin bundle says of itself: `manifest.json`, first member of every `.awp`, and part of the signed bytes.
import { type Static, Type } from 'typebox';

const closed = { additionalProperties: false } as const;
/** No control characters, no invisible ones: it is shown on terminals and pages. */
const printable = '^\\P{C}+$';

/** Name of a plugin: also its folder, its topic segment and its cgroup. */
export const PluginName = Type.String({
  pattern: '^[a-z][a-z0-9-]{0,38}[a-z0-9]$',
  description: '2 to 40 lower-case letters, digits and hyphens, a letter first.',
});
export const PluginVersion = Type.String({
  pattern: '^(0|[1-9][0-9]{0,8})\\.(0|[1-9][0-9]{0,8})\\.(0|[1-9][0-9]{0,8})(-[0-9A-Za-z.-]{1,32})?$',
  description: 'Semantic version without build metadata, such as 1.2.0.',
});

export const SecurityLevel = Type.Union([Type.Literal('low'), Type.Literal('medium'), Type.Literal('high')], {
  description: 'How far the plugin is trusted not to: sets its limits and what happens when it goes beyond.',
});
export type SecurityLevel = Static<typeof SecurityLevel>;

/** memory.max and pids.max are hard at every level; what else is exceeded warns (low), throttles (medium), blocks (high). */
export const PluginResources = Type.Object(
  {
    memoryMaxBytes: Type.Integer({ minimum: 33_554_432, maximum: 1_073_741_824 }),
    cpuMaxPercent: Type.Integer({ minimum: 1, maximum: 100, description: 'Of one core.' }),
    pidsMax: Type.Integer({ minimum: 16, maximum: 256 }),
    ioBytesPerSecond: Type.Optional(Type.Integer({ minimum: 65_536 })),
  },
  closed,
);
export type PluginResources = Static<typeof PluginResources>;

export const levelResources: Readonly<Record<SecurityLevel, PluginResources>> = {
  low: { memoryMaxBytes: 268_435_456, cpuMaxPercent: 80, pidsMax: 64 },
  medium: { memoryMaxBytes: 134_217_728, cpuMaxPercent: 50, pidsMax: 48 },
  high: { memoryMaxBytes: 67_108_864, cpuMaxPercent: 30, pidsMax: 32 },
};

const UsbNumber = Type.String({ pattern: '^[0-9a-f]{4}$', description: 'Four hexadecimal digits.' });

/** Nothing that is not declared is reachable. An absent key is: none. */
export const PluginPermissions = Type.Object(
  {
    emit: Type.Optional(
      Type.Array(
        Type.String({ pattern: '^[a-z0-9-]{1,64}$', description: 'Its last word alone: counted.' }),
        {
          maxItems: 64,
          uniqueItems: true,
          description: 'Own events it may emit: `reading` becomes `plugin.<name>.reading`.',
        },
      ),
    ),
    kv: Type.Optional(
      Type.Object(
        { maxBytes: Type.Integer({ minimum: 1, maximum: 16_777_216 }) },
        { ...closed, description: 'Keys and values kept over restarts.' },
      ),
    ),
    serial: Type.Optional(
      Type.Array(Type.Object({ vendor: UsbNumber, product: Type.Optional(UsbNumber) }, closed), {
        maxItems: 32,
        description: 'Serial ports of these USB devices, opened by the daemon and handed on as streams.',
      }),
    ),
    mqtt: Type.Optional(
      Type.Object(
        { publish: Type.Literal(true) },
        { ...closed, description: 'Messages below its own topic `…/plugin/<name>/…`.' },
      ),
    ),
  },
  closed,
);
export type PluginPermissions = Static<typeof PluginPermissions>;

export const BundleMember = Type.Object(
  {
    path: Type.String({
      pattern: '^[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*){0,7}$',
      maxLength: 100,
    }),
    bytes: Type.Integer({ minimum: 0, maximum: 16_777_216 }),
    sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
  },
  closed,
);
export type BundleMember = Static<typeof BundleMember>;

export const PluginManifest = Type.Object(
  {
    manifestVersion: Type.Literal(1),
    name: PluginName,
    version: PluginVersion,
    title: Type.Optional(Type.String({ pattern: printable, maxLength: 80 })),
    description: Type.Optional(Type.String({ pattern: printable, maxLength: 400 })),
    api: Type.String({
      pattern: '^[0-9]{1,4}\\.[0-9]{1,4}$',
      description: 'Lowest plugin API version that will do; the major one must be equal.',
    }),
    channel: Type.Union([Type.Literal('stable'), Type.Literal('beta'), Type.Literal('dev')]),
    securityCounter: Type.Integer({
      minimum: 0,
      maximum: 1_000_000_000,
      description: 'Raised when an older version must never run again; independent of the version.',
    }),
    platforms: Type.Optional(
      Type.Array(Type.Union([Type.Literal('x64'), Type.Literal('arm64')]), {
        minItems: 1,
        uniqueItems: true,
        description: 'Processors it runs on; left out: all.',
      }),
    ),
    requires: Type.Optional(
      Type.Array(Type.Object({ plugin: PluginName, atLeast: PluginVersion }, closed), {
        maxItems: 16,
        description: 'Plugins that must be installed already.',
      }),
    ),
    entry: Type.String({
      maxLength: 100,
      description: 'The member that is started: an ES module, its name ends in `.mjs`.',
    }),
    level: SecurityLevel,
    resources: Type.Optional(PluginResources),
    permissions: PluginPermissions,
    subscriptions: Type.Array(
      Type.String({
        pattern: '^[a-z]+(\\.[a-z0-9-]+)*(\\.\\*)?$',
        maxLength: 128,
        description: 'A type, usb.device.added, or a family, usb.*.',
      }),
      { maxItems: 64, uniqueItems: true, description: 'Event types it receives.' },
    ),
    configSchema: Type.Optional(
      Type.Record(Type.String(), Type.Unknown(), {
        description: 'JSON Schema of the configuration it takes.',
      }),
    ),
    members: Type.Array(BundleMember, { minItems: 1, maxItems: 1_024 }),
  },
  closed,
);
export type PluginManifest = Static<typeof PluginManifest>;

/** The plugin API's own version: what `api` of a manifest is compared with. */
export const pluginApiVersion = '1.0';
