// An appliance that does everything it is asked for, so that what a test looks at is the way there.
import { gzipSync } from 'node:zlib';
import type { ActVerdict, ApplianceControl } from '../../src/contracts/appliance-control.ts';
import type { PluginControl, PluginStatus } from '../../src/contracts/plugin-status.ts';
import type { TrustControl } from '../../src/contracts/trust-control.ts';
import type { TrustDocument } from '../../src/contracts/trust-document.ts';
import type { UsbDevice } from '../../src/contracts/usb-device.ts';
import { idleControl } from './idle-control.ts';

export const willingDevice: UsbDevice = {
  ...{ port: '1-1.4', bus: 1, address: 2, identity: null, hasSerial: false, configurations: 1 },
  ...{ interfaces: [], problems: [] },
  policy: { target: 'block', by: 'rule', line: 3, reason: 'block id 046d:c31c', enforced: true },
};

const plugin: PluginStatus = {
  ...{ name: 'probe', state: 'running', reason: 'it answers', code: null, enabled: true, version: '1.0.0' },
  ...{ since: '2026-01-01T00:00:00.000Z', clock: 'synced', previousVersion: null },
  ...{ fellBack: null, securityCounter: 1 },
  ...{ signedBy: ['k'], level: null, limits: null, isolation: { complete: true, missing: [] } },
  ...{ memoryBytes: 1, cpuSeconds: 0.1, starts: 1, delivered: 0, emitted: 0, parked: 0, violations: 0 },
  position: null,
};

const done: ActVerdict = { ok: true, detail: 'done' };
const acted = async (name: string) =>
  name === 'probe'
    ? ({ ok: true, plugin, detail: 'done' } as const)
    : ({ ok: false, code: 'plugins.not-installed', reason: `no plugin ${name}` } as const);
const plugins: PluginControl = {
  ...{ enable: acted, disable: acted, restart: acted, rollback: acted, remove: acted },
  list: async () => [plugin],
  install: async (bundle) => (bundle.length > 3 ? acted('probe') : acted('none')),
  logs: (name) => (name === 'probe' ? [{ time: 't', level: 'info', from: 'plugin', text: 'hello' }] : null),
};
const document: TrustDocument = {
  ...{
    format: 'autoweave-trust-1',
    version: 2,
    issued: '2026-01-01T00:00:00Z',
    expires: '2027-01-01T00:00:00Z',
  },
  ...{ roles: {}, revoked: { keys: [], content: [] } },
};
const trust: TrustControl = {
  inForce: async () => ({ ok: true, document, text: '{}' }),
  take: async (text, { first }) =>
    first
      ? { ok: false, code: 'trust.already-first', reason: 'there is one' }
      : { ok: true, version: text.length, before: 1, isNew: true },
};
export const willingControl: ApplianceControl = {
  ...idleControl,
  plugins: () => plugins,
  trust: () => trust,
  logs: () => [{ time: 't', level: 'info', part: 'buffer', text: 'line' }],
  settings: () => ({ config: { status: { port: 1 } }, hidden: ['uplink.password'] }),
  judgeDevice: async ({ port }) =>
    port === willingDevice.port
      ? done
      : { ok: false, code: 'policy.not-there', reason: `nothing at ${port}` },
  identify: () => done,
  diagnostics: async () => gzipSync('{}'),
  setUp: async ({ replace }) =>
    replace === true ? done : { ok: false, code: 'system.provisioned', reason: 'has a broker' },
  askMachine: async () => done,
};
