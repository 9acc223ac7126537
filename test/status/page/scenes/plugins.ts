// Plugins that run, and plugins that do not.
import type { PluginStatus } from '../../../../src/contracts/plugin-status.ts';
import { before } from './parts.ts';

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
  fellBack: null,
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
export const plugins = [
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
export const brokenPlugins = [
  plugin('serial-scale', {
    previousVersion: null,
    fellBack: { version: '1.5.0', reason: 'TypeError: frame is undefined', at: before(7_400) },
  }),
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
