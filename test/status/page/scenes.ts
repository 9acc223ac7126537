// Answers of the API, written down, in states that are hard to bring about at will: what the page makes of them is looked at and
// measured (axe). That the appliance answers so is the business of the tests that run one.
import { devices, ports } from './scenes/devices.ts';
import { events, lines } from './scenes/events.ts';
import { before, goodParts, part } from './scenes/parts.ts';
import { admin, config, people } from './scenes/people.ts';
import { brokenPlugins, plugins } from './scenes/plugins.ts';

export const sceneNames = ['empty', 'busy', 'broken', 'offline', 'unclaimed', 'nobody'] as const;
export type SceneName = (typeof sceneNames)[number];

/** path below /api/v1/ -> the answer without its stamp */
export type Scene = Readonly<Record<string, object>>;

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
    ports,
  },
  plugins: { plugins },
  'plugins/serial-scale/logs': { lines },
  'events/history': { events: [], next: null },
  logs: { lines },
  settings: { config, hidden: ['uplink.password', 'uplink.webhooks.0.secret'] },
  ...people,
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
    devices: { ...good.devices, devices: [], ports: [] },
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
