// A USB bus for tests of events/: hands out addresses and sequence numbers as the kernel does, and builds the changes
// that sources would report.
import type { Instant } from '../../src/contracts/clock.ts';
import type { Certainty, UsbChange, UsbSource } from '../../src/contracts/usb-change.ts';
import type { UsbDevice } from '../../src/contracts/usb-device.ts';

export const BOOT = '00000000-0000-4000-8000-000000000001';
export const NEXT_BOOT = '00000000-0000-4000-8000-000000000002';

export function at(uptimeMs: number): Instant {
  return { uptimeMs, wallMs: Date.UTC(2026, 0, 1) + uptimeMs, synced: true };
}

/** `name`: one letter stands for one identity. */
export function device(
  port: string,
  name: string,
  address: number,
  more: Partial<UsbDevice> = {},
): UsbDevice {
  return {
    port,
    bus: Number(port.split('-')[0]),
    address,
    identity: name.charCodeAt(0).toString(16).padStart(64, '0'),
    hasSerial: true,
    vendorId: '1d6b',
    productId: `00${name.charCodeAt(0).toString(16)}`,
    serial: name,
    configurations: 1,
    interfaces: [],
    problems: [],
    ...more,
  };
}

/** As it is reported when it left before its descriptors were read. */
export function unreadable(of: UsbDevice): UsbDevice {
  const { port, bus, address } = of;
  return {
    port,
    bus,
    address,
    identity: null,
    hasSerial: false,
    configurations: 0,
    interfaces: [],
    problems: ['usb.gone'],
  };
}

interface From {
  readonly source?: UsbSource;
  readonly seqnum?: number | null;
}

export function attached(uptimeMs: number, what: UsbDevice, { source = 'kernel', seqnum = null }: From = {}) {
  return { kind: 'attached', source, observed: at(uptimeMs), port: what.port, seqnum, device: what } as const;
}

export function detached(uptimeMs: number, what: UsbDevice, { source = 'kernel', seqnum = null }: From = {}) {
  const { port, address } = what;
  return { kind: 'detached', source, observed: at(uptimeMs), port, seqnum, address } as const;
}

export function changed(uptimeMs: number, what: UsbDevice, { source = 'kernel', seqnum = null }: From = {}) {
  return { kind: 'changed', source, observed: at(uptimeMs), port: what.port, seqnum, device: what } as const;
}

export function ready(uptimeMs: number, what: UsbDevice, { source = 'udev', seqnum = null }: From = {}) {
  const readiness = { node: '/dev/bus/usb/001/004', drivers: ['usbhid'], links: [] };
  return { kind: 'ready', source, observed: at(uptimeMs), port: what.port, seqnum, readiness } as const;
}

export function snapshot(
  uptimeMs: number,
  devices: readonly UsbDevice[],
  more: {
    readonly reason?: 'start' | 'monitor-exit' | 'monitor-stall' | 'timer';
    readonly certainty?: Certainty;
    readonly seqnum?: number | null;
  } = {},
): UsbChange {
  const { reason = 'start', certainty = 'complete', seqnum = null } = more;
  const observed = at(uptimeMs);
  return {
    kind: 'snapshot',
    source: 'scan',
    observed,
    reason,
    certainty,
    devices,
    blindSinceUptimeMs: null,
    seqnum,
  };
}

/** The kernel's side: what is plugged in, and the records of how it came to be. */
export class UsbBus {
  readonly present = new Map<string, UsbDevice>();
  seqnum = 0;
  #addresses = new Map<number, number>();

  plug(port: string, name: string, uptimeMs: number) {
    const bus = Number(port.split('-')[0]);
    const address = ((this.#addresses.get(bus) ?? 0) % 127) + 1;
    this.#addresses.set(bus, address);
    const plugged = device(port, name, address);
    this.present.set(port, plugged);
    this.seqnum += 1;
    return attached(uptimeMs, plugged, { seqnum: this.seqnum });
  }

  unplug(port: string, uptimeMs: number) {
    const gone = this.present.get(port);
    if (gone === undefined) throw new Error(`unplug: nothing is plugged in at ${port}`);
    this.present.delete(port);
    this.seqnum += 1;
    return detached(uptimeMs, gone, { seqnum: this.seqnum });
  }

  devices(): readonly UsbDevice[] {
    return [...this.present.values()];
  }
}
