// Records of the monitor about USB devices -> changes, in the order of the records. Reading a device starts at once, while the
// record is fresh: a device may leave 50 ms after it came.
import type { Clock } from '../contracts/clock.ts';
import type { UsbChange } from '../contracts/usb-change.ts';
import type { UsbDevice } from '../contracts/usb-device.ts';
import { describeGoneDevice } from './describe-device.ts';
import { instantOf } from './instant-of.ts';
import type { DeviceRecord } from './interpret-record.ts';
import type { OrderedLane } from './ordered-lane.ts';
import type { ReadDevice } from './read-devices.ts';
import { readRawDevice } from './read-raw-device.ts';
import type { UsbNames } from './usb-names.ts';

export interface LiveRecords {
  /** A kernel record, or a udev record whose kernel record nobody could see. */
  take(record: DeviceRecord): void;
  /** Says the rest about a device once its strings could be read. */
  follow(later: Promise<UsbDevice | null> | null, change: Pick<UsbChange, 'source'> & Numbered): void;
}

interface Numbered {
  readonly seqnum: number | null;
}

/** A record is read within seconds; a larger difference is another clock. */
const PLAUSIBLE_AGE_MS = 60_000;

export function createLiveRecords(options: {
  readonly clock: Clock;
  readonly lane: OrderedLane;
  readonly names: UsbNames;
  readonly readDevice: ReadDevice;
  readonly folderOf: (port: string) => string;
  readonly onFailure: (cause: unknown) => void;
}): LiveRecords {
  const { clock, lane, names, readDevice, folderOf, onFailure } = options;

  const follow: LiveRecords['follow'] = (later, { source, seqnum }) => {
    later?.then((device) => {
      if (device === null) return;
      lane.push([{ kind: 'changed', source, observed: clock.now(), port: device.port, seqnum, device }]);
    }, onFailure);
  };

  const sight = (kind: 'attached' | 'changed', record: DeviceRecord) => {
    const { port, seqnum, facts } = record;
    const base = { source: record.origin, observed: observedOf(record), port, seqnum } as const;
    const raw = readRawDevice(folderOf(port), facts.address ?? undefined);
    if (raw !== null) {
      const changes = readDevice(raw, port).then(({ device, isGone, later }): readonly UsbChange[] => {
        follow(later, base);
        return isGone && kind === 'changed' ? [] : [{ ...base, kind, device }];
      });
      lane.push(changes);
    } else if (kind === 'attached') {
      lane.push([{ ...base, kind, device: describeGoneDevice(facts, port, names) }]);
    }
  };

  const observedOf = ({ uptimeMs }: DeviceRecord) => instantOf(clock, uptimeMs, PLAUSIBLE_AGE_MS);

  return {
    follow,
    take(record) {
      const { origin, action, port, seqnum, facts } = record;
      if (action === 'add') sight('attached', record);
      else if (action === 'change') sight('changed', record);
      else if (action === 'remove') {
        const observed = observedOf(record);
        lane.push([{ kind: 'detached', source: origin, observed, port, seqnum, address: facts.address }]);
      }
    },
  };
}
