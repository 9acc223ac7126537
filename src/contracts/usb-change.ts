// What usb/ hands to events/: facts from one source each, not yet deduplicated, debounced or numbered.
import type { Instant } from './clock.ts';
import type { UsbDevice, UsbReadiness } from './usb-device.ts';

/** `kernel` and `udev` are the two records of the udev monitor, `spool` the RUN helper, `scan` sysfs, `libusb` the cross-check. */
export type UsbSource = 'kernel' | 'udev' | 'spool' | 'scan' | 'libusb';

/** How much a snapshot can vouch for the time before it. */
export type Certainty =
  /** Spool and kernel records cover the whole gap: nothing can be missing. */
  | 'complete'
  /** The net state is exact; plugs that came and went inside the gap cannot be known. */
  | 'net-state-only';

interface Observed {
  readonly source: UsbSource;
  readonly observed: Instant;
}

export type UsbChange =
  | (Observed & {
      readonly kind: 'attached';
      readonly port: string;
      /** The kernel's uevent sequence number, unique within a boot; null from sources without one. */
      readonly seqnum: number | null;
      /** Always given; with `identity: null` and few facts where the device left before it could be read. */
      readonly device: UsbDevice;
    })
  | (Observed & {
      readonly kind: 'detached';
      readonly port: string;
      readonly seqnum: number | null;
      readonly address: number | null;
    })
  | (Observed & {
      readonly kind: 'changed';
      readonly port: string;
      readonly seqnum: number | null;
      readonly device: UsbDevice;
    })
  | (Observed & {
      readonly kind: 'ready';
      readonly port: string;
      readonly seqnum: number | null;
      readonly readiness: UsbReadiness;
    })
  | (Observed & {
      readonly kind: 'snapshot';
      readonly reason: 'start' | 'monitor-exit' | 'monitor-stall' | 'timer';
      readonly certainty: Certainty;
      /** Every device on the bus now, root hubs excepted. */
      readonly devices: readonly UsbDevice[];
      /** Uptime in ms at which the sight was lost, null at the very first start of a boot. */
      readonly blindSinceUptimeMs: number | null;
      /** Highest uevent sequence number that the snapshot already contains, null if unknown. */
      readonly seqnum: number | null;
    })
  | (Observed & { readonly kind: 'source'; readonly state: 'lost' | 'restored'; readonly why: string });

/** The part of the pipeline's memory that survives the daemon, stored in the same transaction as the events. */
export interface UsbState {
  readonly bootId: string;
  /** Every change up to and including this sequence number is stored as an event. */
  readonly seqnum: number;
  readonly devices: readonly UsbDevice[];
  /** By port path; of ports with a device, and of empty ones whose last change is beyond `seqnum`. */
  readonly marks?: Readonly<Record<string, PortMark>>;
}

/** How far the events of one port reach. */
export interface PortMark {
  /** Every change of this port up to here is stored, even where another port holds `UsbState.seqnum` back. */
  readonly seqnum: number;
  /** Number of the change that brought the device; null: a scan found it. */
  readonly attached: number | null;
  /** Whether its usb.device.ready is stored. */
  readonly ready: boolean;
  /** The device was there before the reboot and has not been seen since. */
  readonly carried: boolean;
}
