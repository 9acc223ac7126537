// One step of one port, recognized as new: what the stages recognize -> debounce -> rate limit -> draft hand on.
import type { Instant } from '../contracts/clock.ts';
import type { UsbSource } from '../contracts/usb-change.ts';
import type { UsbDevice, UsbReadiness } from '../contracts/usb-device.ts';

/** Of one port: lowest and highest sequence number. */
export interface Covered {
  readonly from: number;
  readonly to: number;
}

export interface Origin {
  readonly source: UsbSource;
  readonly seqnum: number | null;
  readonly observed: Instant;
  /** Found by a scan or the spool, or inferred; not seen live. */
  readonly reconciled: boolean;
  /** The sequence numbers this step stands for, those folded into it included. */
  readonly covers: Covered | null;
}

/** A device came or went; the two alternate on every port. */
export interface Plug extends Origin {
  readonly kind: 'added' | 'removed';
  readonly device: UsbDevice;
  /** How many plugs debounce folded into this one. */
  readonly folded: number;
}
export interface Changed extends Origin {
  readonly kind: 'changed';
  readonly device: UsbDevice;
}
export interface Ready extends Origin {
  readonly kind: 'ready';
  readonly device: UsbDevice;
  readonly readiness: UsbReadiness;
}
export type Transition = Plug | Changed | Ready;

export function coverBoth(a: Covered | null, b: Covered | null): Covered | null {
  if (a === null || b === null) return a ?? b;
  return { from: Math.min(a.from, b.from), to: Math.max(a.to, b.to) };
}

export function isPlug(transition: Transition): transition is Plug {
  return transition.kind === 'added' || transition.kind === 'removed';
}
