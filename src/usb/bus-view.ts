// What the changes handed over so far say is plugged in. Only to be compared with scans; events/ keeps the truth.
import type { UsbChange } from '../contracts/usb-change.ts';
import type { UsbDevice } from '../contracts/usb-device.ts';

export interface BusView {
  apply(change: UsbChange, uptimeMs: number): void;
  /** port -> address */
  addresses(): ReadonlyMap<string, number>;
  /** Ports at which the scan and the changes disagree. */
  differences(found: readonly UsbDevice[]): readonly string[];
  /** Whether a record about this port has arrived since then. */
  hasRecordSince(port: string, uptimeMs: number): boolean;
}

const MAX_PORTS = 8_192;

export function createBusView(known: readonly UsbDevice[]): BusView {
  let addresses = addressesOf(known);
  const recordedMs = new Map<string, number>();
  return {
    addresses: () => addresses,
    apply(change, uptimeMs) {
      if (change.kind === 'snapshot') {
        const scanned = addressesOf(change.devices);
        // A record that came while the scan was read knows more about its port.
        for (const [port, recorded] of recordedMs)
          if (recorded >= change.observed.uptimeMs) keepPort(port, addresses, scanned);
        addresses = scanned;
      }
      if (!('port' in change)) return;
      if (change.kind === 'detached') addresses.delete(change.port);
      else if (change.kind !== 'ready') addresses.set(change.port, change.device.address);
      if (change.source === 'scan' || change.source === 'spool') return;
      if (recordedMs.size > MAX_PORTS) recordedMs.clear();
      recordedMs.set(change.port, uptimeMs);
    },
    differences(found) {
      const scanned = addressesOf(found);
      const ports = new Set([...addresses.keys(), ...scanned.keys()]);
      return [...ports].filter((port) => addresses.get(port) !== scanned.get(port));
    },
    hasRecordSince: (port, uptimeMs) => (recordedMs.get(port) ?? -1) >= uptimeMs,
  };
}

function keepPort(port: string, from: ReadonlyMap<string, number>, to: Map<string, number>): void {
  const address = from.get(port);
  if (address === undefined) to.delete(port);
  else to.set(port, address);
}

function addressesOf(devices: readonly UsbDevice[]): Map<string, number> {
  return new Map(devices.map(({ port, address }) => [port, address]));
}
