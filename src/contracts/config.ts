// The configuration: one schema per section = JSON Schema, static type and documentation. Loaded and checked by config/.
import { type Static, Type } from 'typebox';
import { PluginPolicy } from './plugin-policy.ts';

const closed = { additionalProperties: false } as const;
const Segment = (description: string, fallback: string) =>
  Type.String({ pattern: '^[A-Za-z0-9._-]{1,64}$', default: fallback, description });
const Path = (description: string, fallback: string) =>
  Type.String({ pattern: '^/', default: fallback, description: `Absolute path. ${description}` });
const OptionalPath = (description: string) =>
  Type.Optional(Type.String({ pattern: '^/', description: `Absolute path. ${description}` }));
/** `secret: true` marks what is printed as [redacted]. */
const Secret = (description: string) =>
  Type.Optional(Type.String({ minLength: 1, description, secret: true }));

export const ApplianceConfig = Type.Object(
  {
    tenant: Segment('First segment of the topic tree.', 'default'),
    site: Segment('Second segment: where the appliance stands.', 'default'),
    name: Segment('Third segment: this appliance; unique within its site.', 'appliance'),
    stateDir: Path(
      'Survives restarts and power cuts: the buffer mark, the archive of events.',
      '/var/lib/autoweave',
    ),
    runDir: Path('tmpfs: the spool, sockets.', '/run/autoweave'),
    bootNotesFile: Path(
      'What the start of the machine found, written by rootfs/.',
      '/run/autoweave-boot/notes',
    ),
    watchdogDevice: OptionalPath('Fed while the bus is watched; left out: no watchdog is fed.'),
  },
  closed,
);
export type ApplianceConfig = Static<typeof ApplianceConfig>;

export const UsbConfig = Type.Object(
  {
    sysfsRoot: Path('Where sysfs is mounted.', '/sys'),
    spoolFile: Path('Written by the udev RUN helper, read at start.', '/run/autoweave-spool/usb'),
    monitorCommand: Type.Array(Type.String({ minLength: 1 }), {
      minItems: 1,
      default: ['udevadm', 'monitor', '--kernel', '--udev', '--property'],
      description: 'Prints uevents in the format of `udevadm monitor --property`.',
    }),
    crossCheck: Type.Boolean({
      default: true,
      description: 'Count what the `usb` package alone would have missed.',
    }),
    simulated: Type.Boolean({
      default: false,
      description: 'The devices are replayed captures; every event and page says so.',
    }),
    debounceMs: Type.Integer({
      minimum: 0,
      maximum: 10_000,
      default: 50,
      description: 'A device is reported once it has been quiet for so long; 0: at once.',
    }),
    rescanSeconds: Type.Integer({
      minimum: 5,
      maximum: 86_400,
      default: 300,
      description: 'How often sysfs is compared with what is known.',
    }),
    portEventsPerSecond: Type.Number({
      minimum: 0.1,
      default: 20,
      description: 'Sustained events of one port; more are folded into usb.suppressed.',
    }),
    portBurst: Type.Integer({
      minimum: 2,
      default: 200,
      description: 'Events of one port that may come at once before that limit holds.',
    }),
    eventsPerSecond: Type.Number({
      minimum: 1,
      default: 500,
      description: 'Sustained events of all ports together.',
    }),
    burst: Type.Integer({
      minimum: 2,
      default: 5_000,
      description: 'Events of all ports that may come at once before that limit holds.',
    }),
  },
  closed,
);
export type UsbConfig = Static<typeof UsbConfig>;

export const BufferConfig = Type.Object(
  {
    redisSocket: Path('Unix socket of the Redis that holds the events.', '/run/redis/redis.sock'),
    username: Type.Optional(
      Type.String({ minLength: 1, description: 'Redis ACL user; left out: the default user.' }),
    ),
    password: Secret('Of the Redis ACL user.'),
    memoryQueueEvents: Type.Integer({
      minimum: 100,
      default: 50_000,
      description: 'Events kept in memory while Redis is away; the oldest beyond it become a buffer.gap.',
    }),
    batchEvents: Type.Integer({
      minimum: 1,
      maximum: 5_000,
      default: 256,
      description: 'Most events in one transaction.',
    }),
    keepEvents: Type.Integer({
      minimum: 0,
      default: 1_000,
      description: 'Acknowledged events kept for the page and for Last-Event-ID.',
    }),
    memoryMaxBytes: Type.Integer({
      minimum: 1_048_576,
      default: 67_108_864,
      description:
        "Memory that events may take in Redis; older ones move to the archive. Well below Redis's maxmemory.",
    }),
    archiveMaxBytes: Type.Integer({
      minimum: 0,
      default: 4_294_967_296,
      description:
        'Most bytes of the archive on disk (about 80 bytes an event); beyond them events are given up, the least important and oldest first, and a buffer.gap says which.',
    }),
    archiveKeepFreeBytes: Type.Integer({
      minimum: 0,
      default: 268_435_456,
      description:
        'The archive leaves so much of its disk free, at most a tenth of it, and gives events up for it in the same order.',
    }),
    maxAgeHours: Type.Integer({
      minimum: 0,
      default: 0,
      description:
        'Events that are surely older are given up with a buffer.gap; 0: no limit. A clock that is not synchronized proves no age.',
    }),
    maxEvents: Type.Integer({
      minimum: 0,
      default: 0,
      description:
        'Most stored events, give or take a segment; beyond it as beyond archiveMaxBytes; 0: no limit.',
    }),
    consumerIdleHours: Type.Integer({
      minimum: 0,
      default: 168,
      description:
        'A plugin or webhook that has not read on for so long although there is something to read loses its place; 0: never.',
    }),
    commandTimeoutMs: Type.Integer({
      minimum: 100,
      default: 5_000,
      description: 'A Redis that has not answered for so long counts as away.',
    }),
  },
  closed,
);
export type BufferConfig = Static<typeof BufferConfig>;

const WebhookSecret = (description: string) =>
  Type.Optional(
    Type.String({ pattern: '^whsec_[A-Za-z0-9+/]{32,86}={0,2}$', description, secret: true } as const),
  );

export const WebhookConfig = Type.Object(
  {
    name: Type.String({
      pattern: '^[a-z0-9][a-z0-9-]{0,31}$',
      description: 'Names its place in the buffer, its health and its figures; unique.',
    }),
    url: Type.String({ pattern: '^https?://', description: 'Gets every event by POST.' }),
    secret: WebhookSecret(
      'Signs every request as Standard Webhooks say: whsec_ and the base64 of 24 to 64 random bytes.',
    ),
    previousSecret: WebhookSecret('Signs besides, while the receivers change over to a new secret.'),
    types: Type.Array(Type.String({ pattern: '^([*]|[a-z]+([.][a-z0-9-]+)*([.][*])?)$' }), {
      minItems: 1,
      default: ['*'],
      description: 'Event types it gets: usb.device.added, usb.device.*, *',
    }),
    timeoutMs: Type.Integer({
      minimum: 100,
      maximum: 300_000,
      default: 10_000,
      description: 'A request without an answer for so long has failed.',
    }),
    maxInFlight: Type.Integer({
      minimum: 1,
      maximum: 32,
      default: 1,
      description: 'Requests on their way at once; above 1 they may overtake each other.',
    }),
    batch: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 1_000,
        description:
          'Most events of one request, as a CloudEvents batch; left out: one event, not in a list.',
      }),
    ),
    caFile: OptionalPath('PEM; the authorities the receiver may be signed by, in place of the usual ones.'),
    allowPlainHttp: Type.Boolean({
      default: false,
      description: 'Allow http:// to other than loopback and private addresses.',
    }),
    backoffMinMs: Type.Integer({
      minimum: 10,
      default: 1_000,
      description: 'Pause after the first failed request; doubles, with jitter.',
    }),
    backoffMaxMs: Type.Integer({
      minimum: 10,
      maximum: 86_400_000,
      default: 300_000,
      description: 'Longest pause after a failed request, unless the receiver asks for a longer one.',
    }),
  },
  closed,
);
export type WebhookConfig = Static<typeof WebhookConfig>;

export const UplinkConfig = Type.Object(
  {
    url: Type.Union([Type.String({ pattern: '^(mqtts?|wss?)://' }), Type.Null()], {
      default: null,
      description:
        'mqtt://, mqtts://, ws:// or wss:// address of the broker; null: events stay in the buffer.',
    }),
    clientId: Type.Optional(
      Type.String({ minLength: 1, maxLength: 128, description: 'Default: tenant/site/name.' }),
    ),
    username: Type.Optional(Type.String({ minLength: 1, description: 'Broker account.' })),
    password: Secret('Of the broker account.'),
    caFile: OptionalPath('PEM; the authorities the broker may be signed by.'),
    certFile: OptionalPath("PEM; this appliance's certificate (mTLS)."),
    keyFile: OptionalPath('PEM; its private key.'),
    proxy: Type.Optional(
      Type.String({
        pattern: '^(http|socks5|socks5h|socks4)://',
        description: 'Proxy to the broker.',
        secret: true,
      }),
    ),
    protocol: Type.Union([Type.Literal('auto'), Type.Literal('5'), Type.Literal('3.1.1')], {
      default: 'auto',
      description: 'auto: MQTT 5, and 3.1.1 where the broker refuses it.',
    }),
    window: Type.Integer({
      minimum: 1,
      maximum: 65_535,
      default: 100,
      description: "Most unacknowledged events; the broker's receive maximum also holds.",
    }),
    keepAliveSeconds: Type.Integer({
      minimum: 5,
      maximum: 65_535,
      default: 30,
      description: 'MQTT keep-alive: how soon a silent connection is noticed.',
    }),
    sessionExpirySeconds: Type.Integer({
      minimum: 0,
      maximum: 4_294_967_295,
      default: 604_800,
      description: 'How long the broker keeps the session after a disconnect (MQTT 5).',
    }),
    connectTimeoutMs: Type.Integer({
      minimum: 1_000,
      default: 10_000,
      description: 'Of one attempt to connect.',
    }),
    backoffMinMs: Type.Integer({
      minimum: 10,
      default: 500,
      description: 'Pause before the first attempt to reconnect; doubles, with jitter.',
    }),
    backoffMaxMs: Type.Integer({
      minimum: 10,
      default: 60_000,
      description: 'Longest pause between attempts to reconnect.',
    }),
    drainEventsPerSecond: Type.Integer({
      minimum: 0,
      default: 0,
      description: 'Most events a second while catching up; 0: no limit.',
    }),
    inboundPerSecond: Type.Integer({
      minimum: 1,
      maximum: 10_000,
      default: 50,
      description:
        'Sustained messages from the broker; four times as many may come at once, more are refused.',
    }),
    webhooks: Type.Array(WebhookConfig, {
      maxItems: 16,
      default: [],
      description: 'HTTP receivers of the events, each with its own place in the buffer.',
    }),
  },
  closed,
);
export type UplinkConfig = Static<typeof UplinkConfig>;

export const StatusConfig = Type.Object(
  {
    listen: Type.String({
      minLength: 1,
      default: '127.0.0.1',
      description: 'Address of the page, API and metrics.',
    }),
    port: Type.Integer({ minimum: 0, maximum: 65_535, default: 8480, description: '0: any free port.' }),
    hostNames: Type.Optional(
      Type.Array(Type.String({ pattern: '^[A-Za-z0-9.-]{1,253}$' }), {
        maxItems: 32,
        description:
          'Further DNS names under which browsers may ask for the page; addresses, localhost and the own host name always work.',
      }),
    ),
    requestsPerSecond: Type.Number({
      minimum: 1,
      default: 50,
      description: 'Sustained requests of one client address; four times as many may come at once.',
    }),
    sseClients: Type.Integer({
      minimum: 1,
      default: 32,
      description: 'Most listeners of the live event stream at once.',
    }),
    public: Type.Union([Type.Literal('state'), Type.Literal('all')], {
      default: 'state',
      description:
        'What may be read without a login. state: health and state. all: what a viewer may read, for a kiosk or a scraper without a token.',
    }),
    announce: Type.Boolean({
      default: true,
      description:
        'Tell the local network where the page is (multicast DNS, _autoweave._tcp), unless it listens on loopback alone.',
    }),
    tls: Type.Boolean({
      default: false,
      description:
        "HTTPS with the appliance's own certificate on the same port; http:// is redirected to it.",
    }),
  },
  closed,
);
export type StatusConfig = Static<typeof StatusConfig>;

export const PluginsConfig = Type.Object(
  {
    settings: Type.Record(Type.String(), Type.Record(Type.String(), Type.Unknown()), {
      default: {},
      description: 'By plugin name: the configuration it is given, checked against its configSchema.',
    }),
    policy: Type.Optional(PluginPolicy),
    mostPlugins: Type.Integer({
      minimum: 0,
      maximum: 64,
      default: 16,
      description: 'So many may be installed; 0: none.',
    }),
    recycleAfterEvents: Type.Integer({
      minimum: 0,
      default: 0,
      description: 'A plugin is started anew after so many events; 0: never.',
    }),
    recycleAtMemoryPercent: Type.Integer({
      minimum: 0,
      maximum: 99,
      default: 0,
      description: 'A plugin is started anew when it holds more of its memory limit; 0: never.',
    }),
  },
  closed,
);
export type PluginsConfig = Static<typeof PluginsConfig>;

export const LedsConfig = Type.Object(
  {
    root: Path('Where the kernel lists its LEDs.', '/sys/class/leds'),
    names: Type.Array(Type.String({ pattern: '^[^/]{1,63}$' }), {
      maxItems: 8,
      default: [],
      description:
        'Folders there that show the state; empty: those that are made for it (`green:status`, `ACT`), if any.',
    }),
  },
  closed,
);
export type LedsConfig = Static<typeof LedsConfig>;

export const PolicyConfig = Type.Object(
  {
    mode: Type.Union([Type.Literal('off'), Type.Literal('report'), Type.Literal('enforce')], {
      default: 'off',
      description:
        'off: USB authorization is left alone. report: every device is authorized, verdicts are only told. enforce: verdicts hold.',
    }),
    file: Path('Rules in the language of usbguard-rules.conf(5).', '/var/lib/autoweave/rules.conf'),
    implicitTarget: Type.Union([Type.Literal('allow'), Type.Literal('block'), Type.Literal('reject')], {
      default: 'block',
      description: 'For devices that no rule matches.',
    }),
    guard: Type.Union([Type.Literal('off'), Type.Literal('report'), Type.Literal('block')], {
      default: 'report',
      description: 'What becomes of a device that behaves like an attack, whatever the rules say.',
    }),
    guardScore: Type.Integer({
      minimum: 1,
      maximum: 1_000,
      default: 100,
      description: 'From this sum of evidence on a device counts as an attack.',
    }),
    overrideFile: Path(
      'While it exists every device is authorized; only somebody at the computer can make it.',
      '/run/autoweave-config/usb-override',
    ),
    overrideMinutes: Type.Integer({
      minimum: 1,
      maximum: 240,
      default: 15,
      description: 'How long that lasts at most.',
    }),
  },
  closed,
);
export type PolicyConfig = Static<typeof PolicyConfig>;

const StaticOrDhcp = (description: string) =>
  Type.String({ pattern: '^(dhcp|[0-9.]+/[0-9]+)$', default: 'dhcp', description });
const Gateway = Type.Optional(
  Type.String({
    pattern: '^[0-9.]+$',
    description: 'IPv4 address of the router; of a static address alone.',
  }),
);

export const NetworkConfig = Type.Object(
  {
    address: StaticOrDhcp(
      'dhcp, or the IPv4 address and prefix of the first wired interface, such as 192.168.1.20/24. Others ask DHCP.',
    ),
    gateway: Gateway,
    dns: Type.Optional(
      Type.Array(Type.String({ pattern: '^[0-9A-Fa-f.:]+$' }), {
        minItems: 1,
        maxItems: 3,
        description: 'Addresses of name servers; left out: those that DHCP names.',
      }),
    ),
    interfaces: Type.Optional(
      Type.Array(
        Type.Object(
          {
            name: Type.String({
              pattern: '^[A-Za-z0-9_.-]{1,15}$',
              description: 'As the kernel has it: eth0.',
            }),
            address: StaticOrDhcp('dhcp, or IPv4 address and prefix.'),
            gateway: Gateway,
          },
          closed,
        ),
        { maxItems: 16, description: 'Wired interfaces that differ, by name.' },
      ),
    ),
  },
  { ...closed, description: "Of the appliance's image; an ordinary host sets its own addresses." },
);
export type NetworkConfig = Static<typeof NetworkConfig>;

export const TimeConfig = Type.Object(
  {
    servers: Type.Array(Type.String({ pattern: '^[A-Za-z0-9.:[\\]-]{1,260}$' }), {
      maxItems: 8,
      default: ['pool.ntp.org'],
      description: 'NTP servers, host or host:port; an empty list: the clock is left alone.',
    }),
  },
  { ...closed, description: "Of the appliance's image; an ordinary host sets its own clock." },
);
export type TimeConfig = Static<typeof TimeConfig>;

export const LogConfig = Type.Object(
  {
    level: Type.Union(
      [Type.Literal('debug'), Type.Literal('info'), Type.Literal('warn'), Type.Literal('error')],
      { default: 'info', description: 'Least important lines that are written.' },
    ),
  },
  closed,
);
export type LogConfig = Static<typeof LogConfig>;

export const Config = Type.Object(
  {
    appliance: ApplianceConfig,
    usb: UsbConfig,
    buffer: BufferConfig,
    uplink: UplinkConfig,
    status: StatusConfig,
    leds: LedsConfig,
    policy: PolicyConfig,
    network: NetworkConfig,
    time: TimeConfig,
    plugins: PluginsConfig,
    log: LogConfig,
  },
  { ...closed, $id: 'autoweave-config', description: 'AutoWeave Edge configuration' },
);
export type Config = Static<typeof Config>;
