// The watch of a bus of files: what it was told, as lines, health and figures.
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { UsbConfig } from '../../src/contracts/config/usb-config.ts';
import type { UsbChange, UsbState } from '../../src/contracts/usb-change.ts';
import { UsbDevice } from '../../src/contracts/usb-device.ts';
import type { UsbGatekeeper } from '../../src/contracts/usb-policy.ts';
import { schemaCheck } from '../../src/lib/schema-check.ts';
import { startUsbWatch, type UsbPart, type UsbWatch } from '../../src/usb/start-usb-watch.ts';
import type { UsbTimings } from '../../src/usb/usb-timings.ts';
import { recordingLog } from '../support/recording-log.ts';
import { recordingMetrics } from '../support/recording-metrics.ts';
import { until } from '../support/until.ts';
import { bootId, type FileBus, runningClock } from './file-bus.ts';

const check = schemaCheck(UsbDevice);
export const keyboard = {
  set: 'boot-keyboard',
  manufacturer: 'Logitech',
  product: 'Keyboard',
  drivers: ['usbhid', 'usbhid'],
};
export const stick = { set: 'flash-drive', product: 'Stick', serial: 'S1', drivers: ['usb-storage'] };

export interface Watched {
  readonly watch: UsbWatch;
  readonly changes: readonly UsbChange[];
  readonly lines: () => readonly string[];
  readonly metrics: ReturnType<typeof recordingMetrics>;
  readonly health: ReadonlyMap<UsbPart, string>;
  readonly seen: (line: string) => Promise<unknown>;
}

interface WatchExtra {
  readonly known?: UsbState | null;
  readonly config?: Partial<UsbConfig>;
  readonly timings?: Partial<UsbTimings>;
  readonly gatekeeper?: UsbGatekeeper;
}

export async function watchBus(t: TestContext, bus: FileBus, extra: WatchExtra = {}): Promise<Watched> {
  const changes: UsbChange[] = [];
  const metrics = recordingMetrics();
  const health = new Map<UsbPart, string>();
  const watch = await startUsbWatch({
    config: {
      sysfsRoot: bus.sysfsRoot,
      spoolFile: bus.spoolFile,
      monitorCommand: bus.monitorCommand,
      crossCheck: false,
      simulated: false,
      debounceMs: 0,
      rescanSeconds: 300,
      portEventsPerSecond: 20,
      portBurst: 200,
      eventsPerSecond: 500,
      burst: 5_000,
      ...extra.config,
    },
    clock: runningClock(),
    metrics: metrics.usb,
    log: recordingLog(),
    report: (part) => (state, why) => void health.set(part, `${state}: ${why}`),
    known: extra.known ?? null,
    gatekeeper: extra.gatekeeper,
    take: (taken) => void changes.push(...taken),
    procRoot: bus.procRoot,
    timings: {
      stringsMs: 10_000,
      verdictsMs: 10_000,
      tickMs: 20,
      pollMs: 50,
      backoffMinMs: 5,
      ...extra.timings,
    },
  });
  t.after(() => watch.stop());
  const lines = () => changes.map(lineOf);
  const seen = (line: string) => until(line, () => lines().includes(line));
  return { watch, changes, lines, metrics, health, seen };
}

export function lineOf(change: UsbChange): string {
  switch (change.kind) {
    case 'snapshot':
      return `snapshot ${change.reason} ${change.certainty} [${change.devices.map(({ port }) => port).join(' ')}]`;
    case 'source':
      return `${change.source} ${change.state}`;
    case 'detached':
      return `${change.source} detached ${change.port} ${change.address} ${change.seqnum}`;
    case 'ready':
      return `${change.source} ready ${change.port} ${change.readiness.drivers.join(' ')} ${change.seqnum}`;
    case 'attached':
    case 'changed':
      assert.ok(check(change.device).ok, JSON.stringify(check(change.device)));
      return `${change.source} ${change.kind} ${change.port} ${change.device.address} ${change.seqnum}`;
  }
}

export function stateOf(bus: FileBus, devices: UsbState['devices'] = []): UsbState {
  return { bootId, seqnum: bus.lastSeqnum(), devices };
}
