// A change of one port -> what is new in it. The same physical change arrives from several sources, late, or out of turn;
// numbers decide within a boot, address and identity where there are none.
import type { UsbChange } from '../contracts/usb-change.ts';
import {
  completes,
  isSameAfterBoot,
  isSameFacts,
  isSameFactsAfterBoot,
  isSamePlug,
  stated,
} from './same-device.ts';
import { inferredRemoval, type Recognized, type SeenPort, withDevice, withoutDevice } from './seen-port.ts';
import type { Origin, Transition } from './transition.ts';

export type PortChange = Extract<UsbChange, { readonly port: string }>;
type Sight = Extract<PortChange, { readonly kind: 'attached' | 'changed' }>;
type Detached = Extract<PortChange, { readonly kind: 'detached' }>;
type Readied = Extract<PortChange, { readonly kind: 'ready' }>;

/** `scanSeqnum`: records up to this number cannot change the net state any more, a scan has told it (-1: none has). */
export function recognizeChange(seen: SeenPort, change: PortChange, scanSeqnum: number): Recognized {
  if (change.kind === 'ready') return recognizeReady(seen, change);
  const { seqnum } = change;
  if (seqnum !== null && seqnum <= seen.seqnum)
    // The number has been told: what completes it has none of its own.
    return change.kind === 'detached'
      ? duplicate(seen)
      : recognizeCompletion(seen, { ...change, seqnum: null });
  const next = { ...seen, seqnum: seqnum ?? seen.seqnum, uptimeMs: change.observed.uptimeMs };
  const isInScan = seqnum !== null && seqnum <= scanSeqnum;
  return change.kind === 'detached'
    ? recognizeDetached(next, change, isInScan)
    : recognizeSight(next, change, isInScan);
}

function recognizeSight(seen: SeenPort, change: Sight, isInScan: boolean): Recognized {
  const { device: known } = seen;
  if (known === null) return recognizeArrival(seen, change, isInScan);
  if (seen.isCarriedOver) {
    if (!isSameAfterBoot(known, change.device)) return replaced(seen, change);
    const kept = withDevice(seen, change.device, change.seqnum);
    return isSameFactsAfterBoot(known, change.device)
      ? duplicate(kept)
      : recognized(kept, [{ ...originOf(change), kind: 'changed', device: change.device, reconciled: true }]);
  }
  if (!isSamePlug(known, change.device)) return isInScan ? duplicate(seen) : replaced(seen, change);
  const confirmed = { ...seen, attachedSeqnum: seen.attachedSeqnum ?? change.seqnum };
  const device = stated(known, change.device);
  const saysMore = change.kind === 'changed' && !isSameFacts(known, device);
  return saysMore && !isInScan
    ? changedTo(confirmed, { ...change, device })
    : recognizeCompletion(confirmed, change);
}

function recognizeArrival(seen: SeenPort, change: Sight, isInScan: boolean): Recognized {
  const { device, seqnum } = change;
  // Without a number only the address tells a late report of the last plug from a new plug.
  if (seqnum === null && device.address === seen.goneAddress) return duplicate(seen);
  const origin = originOf(change);
  const added: Transition = {
    ...origin,
    kind: 'added',
    device,
    folded: 0,
    reconciled: origin.reconciled || change.kind === 'changed',
  };
  const arrived = withDevice(seen, device, seqnum);
  // The scan that contains this record found the port empty: the device has left again, whoever saw it go.
  return isInScan
    ? recognized(withoutDevice(arrived), [added, inferredRemoval(device, change)])
    : recognized(arrived, [added]);
}

function recognizeDetached(seen: SeenPort, change: Detached, isInScan: boolean): Recognized {
  const { device } = seen;
  if (device === null || isInScan) return duplicate(seen);
  const isOther = change.address !== null && !seen.isCarriedOver && change.address !== device.address;
  // Records have an order among themselves; a device that a scan brought may be newer than this record.
  if (isOther && (change.seqnum === null || seen.attachedSeqnum === null)) return duplicate(seen);
  return recognized(withoutDevice(seen), [{ ...originOf(change), kind: 'removed', device, folded: 0 }]);
}

function recognizeReady(seen: SeenPort, change: Readied): Recognized {
  const isOfEarlierPlug =
    change.seqnum !== null && seen.attachedSeqnum !== null && change.seqnum < seen.attachedSeqnum;
  if (seen.device === null || isOfEarlierPlug) return { seen, transitions: [], verdict: 'late-ready' };
  if (seen.isReady) return duplicate(seen);
  const { readiness } = change;
  const { device } = seen;
  // The watermark is about plugs and changes: a ready has the number of its plug.
  return recognized({ ...seen, isReady: true }, [
    { ...originOf(change), kind: 'ready', device, readiness, covers: null },
  ]);
}

/** Nothing new, unless the device can be read at last. */
function recognizeCompletion(seen: SeenPort, change: Sight): Recognized {
  if (seen.device === null || seen.isCarriedOver || !completes(seen.device, change.device))
    return duplicate(seen);
  return changedTo(seen, change);
}

function changedTo(seen: SeenPort, change: Sight): Recognized {
  const { device } = change;
  return recognized({ ...seen, device }, [{ ...originOf(change), kind: 'changed', device }]);
}

/** Another device, or the same at another address: it must have left unseen in between. */
function replaced(seen: SeenPort, change: Sight): Recognized {
  const { device, seqnum } = change;
  const removed = seen.device === null ? [] : [inferredRemoval(seen.device, change)];
  return recognized(withDevice(withoutDevice(seen), device, seqnum), [
    ...removed,
    { ...originOf(change), kind: 'added', device, folded: 0 },
  ]);
}

function originOf(change: PortChange): Origin {
  return {
    source: change.source,
    seqnum: change.seqnum,
    observed: change.observed,
    reconciled: change.source === 'spool' || change.source === 'scan',
    covers: change.seqnum === null ? null : { from: change.seqnum, to: change.seqnum },
  };
}

function recognized(seen: SeenPort, transitions: readonly Transition[]): Recognized {
  return { seen, transitions, verdict: 'new' };
}

function duplicate(seen: SeenPort): Recognized {
  return { seen, transitions: [], verdict: 'duplicate' };
}
