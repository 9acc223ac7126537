// Who is logged in, what he sees of the configuration, of users, tokens and the audit.
import { before } from './parts.ts';

export const admin = {
  user: { name: 'gerda', role: 'admin' },
  csrf: 'token',
  totp: true,
  claimed: true,
  tls: true,
  publicReads: 'state',
};
export const config = {
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
const audited = (n: number, at: string, more: object) => ({
  ...{ n, at, clock: 'synced', outcome: 'done', previous: '0'.repeat(64), hash: '1'.repeat(64) },
  ...more,
});

/** path below /api/v1/ -> the answer */
export const people = {
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
      audited(3, before(340), {
        ...{ who: 'mehmet', role: 'operator', from: '192.0.2.44', act: 'POST /api/v1/devices/1-1.4/block' },
        detail: 'SanDisk Ultra at 1-1.4 is blocked (mehmet: not one of ours)',
      }),
      audited(2, before(2_000), {
        ...{ who: 'nobody', role: 'none', from: '198.51.100.7', act: 'POST /api/v1/session' },
        ...{ outcome: 'refused', detail: 'status.login-refused (as admin): name or password is wrong' },
      }),
      audited(1, before(9_000), {
        ...{ who: 'local', role: 'admin', from: 'local', act: 'POST /api/v1/plugins/serial-scale/restart' },
        detail: 'serial-scale runs',
      }),
    ],
    next: null,
  },
  'users/me/totp': {
    secret: 'JBSWY3DPEHPK3PXP',
    uri: 'otpauth://totp/edge-17:gerda?secret=JBSWY3DPEHPK3PXP&issuer=AutoWeave',
  },
};
