// Answers of the API, written down, in states that are hard to bring about at will: what the page makes of them is looked at and
// measured (axe). That the appliance answers so is the business of the tests that run one.
import type { HealthReport, PartState } from '../../../src/contracts/health.ts';
import type { PluginStatus } from '../../../src/contracts/plugin-status.ts';
import type { UsbDevice } from '../../../src/contracts/usb-device.ts';

export const sceneNames = ['empty', 'busy', 'broken', 'offline', 'unclaimed', 'nobody'] as const;
export type SceneName = (typeof sceneNames)[number];

/** path below /api/v1/ -> the answer without its stamp */
export type Scene = Readonly<Record<string, object>>;

const now = Date.now();
const before = (seconds: number) => new Date(now - seconds * 1_000).toISOString();

const part = (state: PartState, why: string, ageSeconds: number) => ({
  state,
  why,
  since: before(11_532),
  ageSeconds,
  clock: 'synced' as const,
});

const goodParts: HealthReport['parts'] = {
  'usb-monitor': part('ok', 'udevadm monitor runs; its last record came 12 s ago', 1),
  'usb-scan': part('ok', '14 devices in sysfs, as known', 41),
  redis: part('ok', 'answers; every write is on disk before it counts', 0),
  archive: part('ok', '0 segments, 3.8 GB free', 22),
  uplink: part('ok', 'connected to mqtts://broker.acme.example:8883 (MQTT 5)', 2),
  plugins: part('ok', '3 of 3 run in all their limits', 3),
  clock: part('ok', 'synchronized, 1.2 ms off', 17),
  status: part('ok', 'answers on http://192.0.2.17:8480', 4),
};

const known = (port: string, more: Partial<UsbDevice> & { readonly verdict?: object }): object => ({
  port,
  bus: Number(port.split('-')[0]),
  address: 4,
  identity: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  hasSerial: more.serial !== undefined,
  configurations: 1,
  interfaces: [],
  problems: [],
  usbVersion: '2.00',
  speedMbps: 480,
  maxPowerMilliamps: 100,
  authorized: true,
  verdict: {
    target: 'allow',
    rule: 'allow with-interface one-of { 03:*:* 07:*:* }',
    reason: 'rule of line 12',
    at: before(11_000),
  },
  ...more,
});
const face = (name: string, code: string) => [
  {
    configuration: 1,
    number: 0,
    alternate: 0,
    class: code,
    subclass: '01',
    protocol: '01',
    name,
    endpoints: 1,
  },
];
const hub = {
  deviceClass: { class: '09', subclass: '00', protocol: '02', name: 'Hub' },
  interfaces: face('Hub', '09'),
} as const;

const devices = [
  known('1-1', {
    vendorId: '05e3',
    productId: '0610',
    manufacturer: 'Genesys Logic, Inc.',
    product: '4-port hub',
    ...hub,
  }),
  known('1-1.1', {
    vendorId: '0c2e',
    productId: '0b61',
    manufacturer: 'Honeywell',
    product: 'Xenon 1900 barcode scanner',
    serial: '15214B2217',
    speedMbps: 12,
    interfaces: face('Keyboard', '03'),
  }),
  known('1-1.2', {
    vendorId: '04b8',
    productId: '0e28',
    manufacturer: 'EPSON',
    product: 'TM-T20III',
    serial: 'X7QK012345',
    interfaces: face('Printer', '07'),
  }),
  known('1-1.4', {
    vendorId: '0781',
    productId: '5581',
    manufacturer: 'SanDisk',
    product: 'Ultra',
    serial: '4C530001',
    interfaces: face('Mass Storage', '08'),
    authorized: false,
    verdict: {
      target: 'block',
      rule: 'block with-interface one-of { 08:*:* }',
      reason: 'mass storage is not let in here',
      at: before(340),
    },
  }),
  known('1-2', {
    vendorId: '1a86',
    productId: '7523',
    vendorName: 'QinHeng Electronics',
    productName: 'CH340 serial converter',
    interfaces: face('Vendor Specific Class', 'ff'),
    speedMbps: 12,
  }),
  known('1-4', {
    vendorId: '046d',
    productId: 'c52b',
    manufacturer: 'Logitech',
    product: 'USB Receiver',
    speedMbps: 12,
    interfaces: face('Mouse', '03'),
    verdict: { target: null, rule: null, reason: null, at: null },
  }),
  known('2-1', {
    vendorId: '2109',
    productId: '0817',
    manufacturer: 'VIA Labs, Inc.',
    product: 'USB3.0 Hub',
    speedMbps: 5_000,
    usbVersion: '3.20',
    ...hub,
  }),
  known('2-1.1', {
    vendorId: '0bda',
    productId: '8153',
    manufacturer: 'Realtek',
    product: 'USB 10/100/1000 LAN',
    serial: '001000001',
    speedMbps: 5_000,
    usbVersion: '3.00',
    interfaces: face('Ethernet Networking', '02'),
  }),
  known('2-1.3.2', {
    vendorId: 'feed',
    productId: '6061',
    product: 'Device with a very long name that it gave itself, which does not fit on a telephone at all',
    speedMbps: 1.5,
    identity: null,
    problems: ['usb.truncated-descriptor', 'usb.too-many-interfaces'],
    interfaces: face('Keyboard', '03'),
    verdict: {
      target: 'reject',
      rule: null,
      reason: 'keyboard and disk at once, typing like a machine (score 9)',
      at: before(60),
    },
  }),
];

const plugin = (name: string, more: Partial<PluginStatus>): PluginStatus => ({
  name,
  state: 'running',
  reason: 'runs in all its limits',
  code: null,
  since: before(7_300),
  clock: 'synced',
  enabled: true,
  version: '1.4.2',
  previousVersion: '1.4.1',
  securityCounter: 3,
  signedBy: ['RWTk3Vd0a1P9c2mB'],
  level: 'medium',
  limits: { memoryMaxBytes: 134_217_728, cpuMaxPercent: 50, pidsMax: 48 },
  isolation: { complete: true, missing: [] },
  memoryBytes: 23_500_000,
  cpuSeconds: 12.5,
  starts: 1,
  delivered: 48_211,
  emitted: 1_204,
  parked: 0,
  violations: 0,
  position: '29920463-48211',
  ...more,
});
const plugins = [
  plugin('serial-scale', {}),
  plugin('receipt-guard', {
    level: 'high',
    memoryBytes: 54_000_000,
    limits: { memoryMaxBytes: 67_108_864, cpuMaxPercent: 30, pidsMax: 32 },
    version: '0.9.0',
    previousVersion: null,
  }),
  plugin('badge-reader', { memoryBytes: 31_000_000, cpuSeconds: 3 }),
];
const brokenPlugins = [
  ...plugins.slice(0, 1),
  plugin('receipt-guard', {
    state: 'blocked',
    code: 'plugins.violation',
    reason: 'tried to open a socket (2 violations at level high)',
    memoryBytes: null,
    cpuSeconds: null,
    violations: 2,
  }),
  plugin('badge-reader', {
    state: 'failed',
    code: 'plugins.out-of-memory',
    reason: 'used more than 128 MB; tried again in 40 s',
    memoryBytes: 128_000_000,
    starts: 7,
    isolation: { complete: false, missing: ['cgroup: memory is not delegated'] },
  }),
];

let number = 48_300;
const event = (seconds: number, type: string, subject: string, data: object) => {
  number -= 1;
  return {
    specversion: '1.0',
    id: `29920463-${number}`,
    source: 'urn:autoweave:acme:plant-4:edge-17',
    type,
    subject,
    time: before(seconds),
    clock: 'synced',
    data,
  };
};
const scanner = devices[1];
const stick = devices[3];
const events = [
  event(3, 'usb.device.ready', 'usb/1-1.1', { source: 'udev', device: scanner }),
  event(3, 'usb.device.added', 'usb/1-1.1', { source: 'kernel', device: scanner }),
  event(11, 'plugin.serial-scale.reading', 'plugin/serial-scale', { grams: 1_204, stable: true }),
  event(60, 'usb.device.suspected', 'usb/2-1.3.2', {
    port: '2-1.3.2',
    score: 9,
    device: devices[8],
    evidence: [],
  }),
  event(340, 'usb.device.blocked', 'usb/1-1.4', {
    port: '1-1.4',
    device: stick,
    verdict: { reason: 'mass storage is not let in here' },
  }),
  event(1_200, 'usb.device.removed', 'usb/1-1.1', { source: 'kernel', device: scanner }),
  event(2_400, 'uplink.connected', 'uplink', { reason: 'broker.acme.example:8883' }),
  event(2_460, 'uplink.lost', 'uplink', { reason: 'no answer for 45 s' }),
  event(7_300, 'plugin.running', 'plugin/serial-scale', {
    name: 'serial-scale',
    reason: 'runs in all its limits',
  }),
  event(90_000, 'security.violation', 'plugin/receipt-guard', {
    name: 'receipt-guard',
    reason: 'tried to open a socket',
  }),
  event(90_100, 'system.started', 'system', { reason: 'version 0.1.0' }),
];

const admin = {
  user: { name: 'gerda', role: 'admin' },
  csrf: 'token',
  totp: true,
  claimed: true,
  tls: true,
  publicReads: 'state',
};
const config = {
  appliance: {
    tenant: 'acme',
    site: 'plant-4',
    name: 'edge-17',
    stateDir: '/var/lib/autoweave',
    runDir: '/run/autoweave',
  },
  usb: {
    debounceMs: 50,
    rescanSeconds: 300,
    monitorCommand: ['udevadm', 'monitor', '--kernel', '--udev', '--property'],
    crossCheck: true,
    simulated: false,
  },
  uplink: {
    url: 'mqtts://broker.acme.example:8883',
    username: 'edge-17',
    password: null,
    window: 100,
    webhooks: [{ name: 'till', url: 'https://till.example/hook', secret: null, types: ['usb.device.*'] }],
  },
  buffer: { redisSocket: '/run/redis/redis.sock', keepEvents: 1_000, memoryMaxBytes: 67_108_864 },
  policy: { mode: 'enforce', guard: 'block' },
  status: { listen: '0.0.0.0', port: 8480, public: 'state' },
};
const levels = ['info', 'info', 'warn', 'debug', 'error', 'info'];
const lines = Array.from({ length: 40 }, (_, index) => ({
  time: before(index * 37),
  level: levels[index % levels.length],
  part: ['uplink', 'usb', 'buffer', 'plugins'][index % 4],
  from: 'plugin',
  text: [
    'connected to the broker protocolVersion=5 receiveMaximum=20',
    'a device was read port=1-1.4 ms=4',
    'the broker is away; events are kept until it is back',
    'read 256 events',
    'a request could not be answered',
    'compared with sysfs present=14',
  ][index % 6],
}));

const good = {
  session: admin,
  state: {
    version: '0.1.0',
    ready: true,
    health: { state: 'ok', simulated: false, parts: goodParts },
    buffer: {
      waiting: 12,
      queued: 0,
      oldestAgeSeconds: 2,
      bytes: 734_003,
      archiveBytes: 0,
      archivedEvents: 0,
    },
    uplink: {
      connected: true,
      since: before(11_532),
      detail: 'mqtts://broker.acme.example:8883, MQTT 5, window 100',
    },
    led: {
      state: 'good',
      reason: 'The bus is watched, every event is stored and sent.',
      since: before(11_532),
    },
    plugins: { running: 3, total: 3 },
    uptimeSeconds: 273_900,
    provisioned: true,
  },
  devices: {
    restsOn: { 'usb-monitor': goodParts['usb-monitor'], 'usb-scan': goodParts['usb-scan'] },
    devices,
  },
  plugins: { plugins },
  'plugins/serial-scale/logs': { lines },
  'events/history': { events: [], next: null },
  logs: { lines },
  settings: { config, hidden: ['uplink.password', 'uplink.webhooks.0.secret'] },
  users: {
    users: [
      { name: 'gerda', role: 'admin', totp: true, since: before(9e6) },
      { name: 'kiosk-4', role: 'viewer', totp: false, since: before(8e6) },
      { name: 'mehmet', role: 'operator', totp: true, since: before(7e6) },
    ],
  },
  tokens: { tokens: [{ name: 'prometheus', role: 'viewer', since: before(900_000) }] },
  audit: {
    entries: [
      {
        at: before(340),
        who: 'mehmet',
        role: 'operator',
        from: '192.0.2.44',
        act: 'device.block',
        outcome: 'done',
        detail: '1-1.4: not one of ours',
      },
      {
        at: before(2_000),
        who: null,
        role: null,
        from: '198.51.100.7',
        act: 'session.create',
        outcome: 'refused',
        detail: 'wrong password for admin',
      },
      {
        at: before(9_000),
        who: 'gerda',
        role: 'admin',
        from: '192.0.2.40',
        act: 'plugin.restart',
        outcome: 'done',
        detail: 'serial-scale',
      },
    ],
    next: null,
  },
  'users/me/totp': {
    secret: 'JBSWY3DPEHPK3PXP',
    uri: 'otpauth://totp/edge-17:gerda?secret=JBSWY3DPEHPK3PXP&issuer=AutoWeave',
  },
  $events: events,
};

export const scenes: Readonly<Record<SceneName, Scene>> = {
  busy: good,
  empty: {
    ...good,
    state: {
      ...good.state,
      buffer: { waiting: 0, queued: 0, oldestAgeSeconds: null, bytes: 0, archiveBytes: 0, archivedEvents: 0 },
      plugins: { running: 0, total: 0 },
    },
    devices: { ...good.devices, devices: [] },
    plugins: { plugins: [] },
    logs: { lines: [] },
    users: { users: [{ name: 'gerda', role: 'admin', totp: false, since: before(60) }] },
    tokens: { tokens: [] },
    audit: { entries: [], next: null },
    $events: [],
  },
  broken: {
    ...good,
    state: {
      ...good.state,
      ready: false,
      health: {
        state: 'down',
        simulated: false,
        parts: {
          ...goodParts,
          'usb-monitor': part(
            'down',
            'udevadm monitor ended (exit code 1) and does not start: udevadm is not installed; install udev',
            3,
          ),
          plugins: part('degraded', '1 of 3 run: receipt-guard is blocked, badge-reader failed', 2),
          clock: {
            ...part('unknown', 'no time server has answered since the start', 400),
            clock: 'unsynced',
          },
        },
      },
      led: {
        state: 'fault',
        reason: 'The bus is not watched: udevadm monitor ended and does not start again.',
        since: before(95),
      },
      plugins: { running: 1, total: 3 },
      buffer: {
        waiting: 4,
        queued: 3,
        oldestAgeSeconds: 95,
        bytes: 9_800,
        archiveBytes: 0,
        archivedEvents: 0,
      },
    },
    plugins: { plugins: brokenPlugins },
  },
  offline: {
    ...good,
    state: {
      ...good.state,
      health: {
        state: 'degraded',
        simulated: false,
        parts: {
          ...goodParts,
          uplink: part(
            'down',
            'mqtts://broker.acme.example:8883 does not answer (ETIMEDOUT); tried again in 24 s',
            6,
          ),
          archive: part('ok', '213 segments, 2.9 GB free', 12),
        },
      },
      led: {
        state: 'buffering-offline',
        reason: 'The broker is away: events are kept until it is back.',
        since: before(277_000),
      },
      uplink: {
        connected: false,
        since: before(277_000),
        detail: 'no answer from broker.acme.example:8883; 4,102 attempts, the next in 24 s',
      },
      buffer: {
        waiting: 1_874_220,
        queued: 0,
        oldestAgeSeconds: 276_900,
        bytes: 66_900_000,
        archiveBytes: 141_300_000,
        archivedEvents: 1_790_000,
      },
    },
  },
  unclaimed: {
    ...good,
    session: { user: null, csrf: null, totp: null, claimed: false, tls: false, publicReads: 'state' },
    state: {
      ...good.state,
      provisioned: false,
      health: {
        ...good.state.health,
        parts: { ...goodParts, uplink: part('unknown', 'no broker is configured', 4) },
      },
      led: {
        state: 'setting-up',
        reason: 'No broker is configured: claim the appliance and say where it reports to.',
        since: before(700),
      },
      uplink: { connected: false, since: null, detail: 'no broker is configured' },
    },
  },
  nobody: {
    ...good,
    session: { user: null, csrf: null, totp: null, claimed: true, tls: false, publicReads: 'state' },
  },
};
