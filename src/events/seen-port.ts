// What the sources have said about one port so far, told or still held.
import type { UsbChange } from '../contracts/usb-change.ts';
import type { UsbDevice } from '../contracts/usb-device.ts';
import type { Plug, Transition } from './transition.ts';

export interface SeenPort {
  readonly device: UsbDevice | null;
  /** Records up to here are known already. */
  readonly seqnum: number;
  /** Number of the record that brought the device; null: a scan found it, or its record had none. */
  readonly attachedSeqnum: number | null;
  readonly isReady: boolean;
  /** The device is remembered from before the reboot and not yet seen in this boot. */
  readonly isCarriedOver: boolean;
  readonly goneAddress: number | null;
  /** When the last record about this port was observed. */
  readonly uptimeMs: number;
}

/** What a change or a scan means for a port. */
export interface Recognized {
  readonly seen: SeenPort;
  readonly transitions: readonly Transition[];
  readonly verdict: 'new' | 'duplicate' | 'late-ready';
}

export function unseenPort(seqnum: number): SeenPort {
  return {
    device: null,
    seqnum,
    attachedSeqnum: null,
    isReady: false,
    isCarriedOver: false,
    goneAddress: null,
    uptimeMs: 0,
  };
}

export function withDevice(seen: SeenPort, device: UsbDevice, attachedSeqnum: number | null): SeenPort {
  return { ...seen, device, attachedSeqnum, isCarriedOver: false };
}

export function withoutDevice(seen: SeenPort): SeenPort {
  return {
    ...seen,
    device: null,
    attachedSeqnum: null,
    isReady: false,
    isCarriedOver: false,
    goneAddress: seen.isCarriedOver ? null : (seen.device?.address ?? null),
  };
}

/** A removal that nobody reported but that must have been: it has no number of its own. */
export function inferredRemoval(
  device: UsbDevice,
  { source, observed }: Pick<UsbChange, 'source' | 'observed'>,
): Plug {
  return {
    kind: 'removed',
    device,
    source,
    observed,
    seqnum: null,
    covers: null,
    reconciled: true,
    folded: 0,
  };
}
