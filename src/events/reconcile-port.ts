// A scan's sight of one port compared with what is known of it -> what is new. Marked reconciled: nobody saw it happen.
import type { UsbChange } from '../contracts/usb-change.ts';
import type { UsbDevice } from '../contracts/usb-device.ts';
import { isSameAfterBoot, isSameFacts, isSameFactsAfterBoot, isSamePlug, stated } from './same-device.ts';
import { type Recognized, type SeenPort, withDevice, withoutDevice } from './seen-port.ts';
import type { Changed, Plug } from './transition.ts';

export type Snapshot = Extract<UsbChange, { readonly kind: 'snapshot' }>;

/** `found`: what the scan saw at the port, null for nothing. */
export function reconcilePort(seen: SeenPort, found: UsbDevice | null, scan: Snapshot): Recognized {
  const { device: known } = seen;
  if (isNewerThan(seen, scan) || (known === null && found === null)) return same(seen);
  if (found === null || known === null) {
    const empty = known === null ? seen : withoutDevice(seen);
    const transitions = [
      ...(known === null ? [] : [plug('removed', known, scan)]),
      ...(found === null ? [] : [plug('added', found, scan)]),
    ];
    return { seen: found === null ? empty : withDevice(empty, found, null), transitions, verdict: 'new' };
  }
  const isKept = seen.isCarriedOver ? isSameAfterBoot(known, found) : isSamePlug(known, found);
  if (!isKept) {
    const transitions = [plug('removed', known, scan), plug('added', found, scan)];
    return { seen: withDevice(withoutDevice(seen), found, null), transitions, verdict: 'new' };
  }
  // What could be read once is not forgotten because this scan could not.
  const device = seen.isCarriedOver || known.identity === null ? found : stated(known, found);
  const isUnchanged = seen.isCarriedOver ? isSameFactsAfterBoot(known, device) : isSameFacts(known, device);
  const kept = { ...seen, device, isCarriedOver: false };
  const changed: Changed = { ...originOf(scan), kind: 'changed', device };
  return isUnchanged ? same(kept) : { seen: kept, transitions: [changed], verdict: 'new' };
}

/** A record that arrived while the scan was read knows more about its port than the scan. */
function isNewerThan(seen: SeenPort, scan: Snapshot): boolean {
  return scan.seqnum === null ? seen.uptimeMs > scan.observed.uptimeMs : seen.seqnum > scan.seqnum;
}

function same(seen: SeenPort): Recognized {
  return { seen, transitions: [], verdict: 'duplicate' };
}

function plug(kind: Plug['kind'], device: UsbDevice, scan: Snapshot): Plug {
  return { ...originOf(scan), kind, device, folded: 0 };
}

function originOf({ observed, seqnum }: Snapshot) {
  const covers = seqnum === null ? null : { from: seqnum, to: seqnum };
  return { source: 'scan', seqnum: null, observed, reconciled: true, covers } as const;
}
