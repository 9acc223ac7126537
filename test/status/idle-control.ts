// An appliance that can be asked for nothing: what the tests of the reading side need of one.
import type { ActVerdict, ApplianceControl } from '../../src/contracts/appliance-control.ts';

const no: ActVerdict = { ok: false, code: 'test.unavailable', reason: 'this appliance does nothing' };

export const idleControl: ApplianceControl = {
  plugins: () => null,
  facts: () => ({
    uplink: { connected: false, since: '2026-01-01T00:00:00.000Z', detail: 'no broker' },
    buffer: { oldestAgeSeconds: 0, bytes: 0, archiveBytes: 0, archivedEvents: 0 },
    led: { state: 'good', reason: 'health is ok', since: '2026-01-01T00:00:00.000Z' },
    uptimeSeconds: 1,
    provisioned: false,
  }),
  logs: () => [],
  settings: () => ({ config: {}, hidden: [] }),
  verdictAt: () => null,
  judgeDevice: async () => no,
  identify: () => no,
  diagnostics: async () => Buffer.alloc(0),
  setUp: async () => no,
  askMachine: async () => no,
};
