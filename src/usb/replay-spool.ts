// Records of the spool -> changes. A device that is still there is read; one that has left is told by its line alone.
import type { Clock } from '../contracts/clock.ts';
import type { UsbChange } from '../contracts/usb-change.ts';
import { describeGoneDevice } from './describe-device.ts';
import { instantOf } from './instant-of.ts';
import type { SpoolRecord } from './parse-spool.ts';
import type { ReadDevice, Reading } from './read-devices.ts';
import { readRawDevice } from './read-raw-device.ts';
import { readDrivers } from './ready-watch.ts';
import type { UsbNames } from './usb-names.ts';

export interface ReplayOptions {
  readonly clock: Clock;
  readonly names: UsbNames;
  readonly readDevice: ReadDevice;
  readonly folderOf: (port: string) => string;
  readonly follow: (
    later: Reading['later'],
    change: { readonly source: 'spool'; readonly seqnum: number },
  ) => void;
}

export async function replaySpool(
  records: readonly SpoolRecord[],
  options: ReplayOptions,
): Promise<readonly UsbChange[]> {
  const changes = await Promise.all(records.map((record) => changesOf(record, options)));
  return changes.flat();
}

async function changesOf(record: SpoolRecord, options: ReplayOptions): Promise<readonly UsbChange[]> {
  const { action, port, seqnum, facts } = record;
  const { clock, names, readDevice, folderOf } = options;
  const base = { source: 'spool', observed: instantOf(clock, record.uptimeMs), port, seqnum } as const;
  if (action === 'remove') return [{ ...base, kind: 'detached', address: facts.address }];
  // Without an address nobody can say that the device at the port is the one of the line.
  const raw = facts.address === null ? null : readRawDevice(folderOf(port), facts.address);
  if (raw === null) {
    if (action === 'change') return [];
    return [{ ...base, kind: 'attached', device: describeGoneDevice(facts, port, names) }];
  }
  const { device, isGone, later } = await readDevice(raw, port);
  options.follow(later, base);
  if (action === 'change') return isGone ? [] : [{ ...base, kind: 'changed', device }];
  const attached = { ...base, kind: 'attached', device } as const;
  if (isGone) return [attached];
  // The helper runs after udev's rules: what it noted is ready.
  const readiness = { node: nodeOf(raw), drivers: readDrivers(raw.folder, port), links: [] };
  return [attached, { ...base, kind: 'ready', readiness }];
}

function nodeOf({ bus, address }: { readonly bus: number; readonly address: number }): string {
  return `/dev/bus/usb/${String(bus).padStart(3, '0')}/${String(address).padStart(3, '0')}`;
}
