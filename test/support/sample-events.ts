// One event of every type; the compiler asks for a new one when a type is added.
import type { EventData, EventType } from '../../src/contracts/event-types.ts';
import type { PluginStatus } from '../../src/contracts/plugin-status.ts';
import { sampleDevice } from './event-stream.ts';

const change = { source: 'kernel', seqnum: 4_711 } as const;

const blocked = { target: 'block', by: 'implicit', reason: 'no rule applies', enforced: true } as const;

export const sampleEvents: { readonly [T in EventType]: EventData<T> } = {
  'usb.device.added': { ...change, device: sampleDevice },
  'usb.device.ready': {
    ...change,
    source: 'udev',
    device: sampleDevice,
    readiness: { node: '/dev/bus/usb/001/007', drivers: ['usbhid'], links: [] },
  },
  'usb.device.changed': {
    ...change,
    folded: 2,
    device: sampleDevice,
    was: { ...sampleDevice, authorized: false },
  },
  'usb.device.removed': { ...change, reconciled: true, port: '1-1.4', device: null },
  'usb.device.blocked': { port: '1-1.4', device: sampleDevice, verdict: blocked },
  'usb.device.allowed': { port: '1-1.4', device: sampleDevice, verdict: { ...blocked, target: 'allow' } },
  'usb.device.suspected': {
    port: '1-1.4',
    score: 100,
    evidence: [{ code: 'keyboard-and-storage', points: 100, why: 'it is a keyboard and a disk at once' }],
    blocked: false,
  },
  'usb.policy.changed': { state: 'in-force', rules: 12, why: 'the rule file has changed' },
  'usb.device.reconciled': {
    reason: 'start',
    certainty: 'complete',
    present: 3,
    added: 1,
    removed: 0,
    changed: 0,
    blindSinceUptimeMs: null,
  },
  'usb.port.failed': {
    port: '1-2',
    code: 'usb.port-no-answer',
    why: 'device descriptor read/64, error -71; unable to enumerate USB device',
    remedy: 'Try another cable.',
    times: 2,
    atUptimeMs: 12_345.678,
  },
  'usb.suppressed': { port: null, added: 10, removed: 9, other: 0, fromUptimeMs: 1, toUptimeMs: 2.5 },
  'usb.source.lost': { source: 'udev', why: 'exited' },
  'usb.source.restored': { source: 'udev', why: 'started again' },
  'buffer.gap': { reason: 'damaged-entry', count: 1, from: '1-3', to: '1-3' },
  'buffer.generation': { why: 'lost', previousGeneration: 1, previousNumber: 0, publishedNumber: 12 },
  'buffer.spilled': { state: 'begun', events: 0, why: 'memory bound' },
  'buffer.cursor-expired': { consumer: 'plugin:x', why: 'removed', count: 2, acknowledged: '1-3', to: '1-5' },
  'plugin.discovered': { name: 'x', version: '1.0.0', from: 'stopped', reason: 'asked' },
  'plugin.validating': { name: 'x', version: '1.0.0', from: 'stopped', reason: 'asked' },
  'plugin.rejected': { name: 'x', version: '1.0.0', from: 'stopped', reason: 'asked' },
  'plugin.loading': { name: 'x', version: '1.0.0', from: 'stopped', reason: 'asked' },
  'plugin.starting': { name: 'x', version: '1.0.0', from: 'stopped', reason: 'asked' },
  'plugin.running': { name: 'x', version: '1.0.0', from: 'stopped', reason: 'asked' },
  'plugin.stopping': { name: 'x', version: '1.0.0', from: 'stopped', reason: 'asked' },
  'plugin.stopped': { name: 'x', version: '1.0.0', from: 'stopped', reason: 'asked' },
  'plugin.failed': {
    name: 'x',
    version: '1.0.0',
    from: 'stopped',
    reason: 'asked',
    code: 'plugins.exited',
    retryInMs: 500,
  },
  'plugin.blocked': { name: 'x', version: '1.0.0', from: 'stopped', reason: 'asked' },
  'plugin.installed': {
    ...{ name: 'x', version: '1.0.1', previous: '1.0.0', how: 'upgraded', sha256: 'ab'.repeat(32) },
    ...{ signedBy: ['0123456789ABCDEF'], gapMs: 80 },
  },
  'plugin.removed': { name: 'x', version: '1.0.1' },
  'plugin.parked': {
    ...{ name: 'x', version: '1.0.1', event: '1-7', type: 'usb.device.added', tries: 3, why: 'threw' },
  },
  'security.trust-changed': { version: 2, previous: 1 },
  'security.violation': { plugin: 'x', what: 'rate', detail: 'too many', count: 2, action: 'throttled' },
  'security.contained': { plugin: 'x', layer: 'cgroup.kill', why: 'violation', ms: 12 },
  'uplink.connected': { protocolVersion: 5, receiveMaximum: 20, sessionPresent: false },
  'uplink.lost': { why: 'closed', connectedSeconds: 1.5 },
  'uplink.webhook-disabled': { webhook: 'till', why: '410 Gone' },
  'uplink.webhook-skipped': { webhook: 'till', id: '1-3', why: '413' },
  'system.started': { version: '0.1.0', node: 'v24.0.0', unclean: false },
  'system.stopping': { why: 'SIGTERM' },
  'system.boot-note': { part: 'data', code: 'repaired', text: '/dev/vda5 was damaged', atUptimeMs: 4_000 },
  'system.configuration-refused': {
    code: 'config.unknown-key',
    field: 'appliance.nmae',
    reason: 'appliance.nmae is not a known key',
    atUptimeMs: 5_000,
  },
  'system.clock-synchronized': { offsetMs: 1_700_000_000_000 },
};

export const samplePluginStatus: PluginStatus = {
  ...{ name: 'x', state: 'running', reason: 'its start is through', code: null },
  ...{ since: '2026-01-01T00:00:01.000Z', clock: 'synced', enabled: true, version: '1.0.1' },
  ...{ previousVersion: null, fellBack: null, securityCounter: 0, signedBy: [], level: 'medium' },
  limits: { memoryMaxBytes: 134_217_728, cpuMaxPercent: 50, pidsMax: 48 },
  isolation: { complete: true, missing: [] },
  ...{ memoryBytes: 20_000_000, cpuSeconds: 0.4, starts: 1, delivered: 3, emitted: 3, parked: 0 },
  ...{ violations: 0, position: '1-12' },
};
