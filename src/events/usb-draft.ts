// A transition -> the event that tells it, still without a number.
import type { Instant } from '../contracts/clock.ts';
import type { EventDraft } from '../contracts/event.ts';
import type { EventData, EventType } from '../contracts/event-types.ts';
import type { UsbDevice } from '../contracts/usb-device.ts';
import type { Counts } from './suppressed-port.ts';
import type { Transition } from './transition.ts';

/** `usb/<port>`; `usb` alone where the event is about no single port. */
const subjectOf = (port: string | null) => (port === null ? 'usb' : `usb/${port}`);

export function usbDraft<T extends EventType>(
  type: T,
  port: string | null,
  data: EventData<T>,
  { observed, traceparent }: { readonly observed: Instant; readonly traceparent: string },
): EventDraft & { readonly type: T } {
  return { type, subject: subjectOf(port), observed, traceparent, data };
}

/** `told`: the device of the port as events have described it so far. */
export function toDraft(
  port: string,
  transition: Transition,
  told: UsbDevice | null,
  traceparent: string,
): EventDraft & { readonly type: EventType } {
  const { source, seqnum, reconciled, observed, device } = transition;
  const common = { source, seqnum, ...(reconciled && { reconciled: true as const }) };
  const stamp = { observed, traceparent };
  switch (transition.kind) {
    case 'added':
      return usbDraft('usb.device.added', port, { ...common, ...foldedOf(transition.folded), device }, stamp);
    case 'removed': {
      const data = { ...common, ...foldedOf(transition.folded), port, device: told ?? device };
      return usbDraft('usb.device.removed', port, data, stamp);
    }
    case 'changed':
      return usbDraft('usb.device.changed', port, { ...common, device, was: told ?? device }, stamp);
    case 'ready': {
      const data = { ...common, device: told ?? device, readiness: transition.readiness };
      return usbDraft('usb.device.ready', port, data, stamp);
    }
  }
}

export function suppressedData(port: string | null, counts: Counts): EventData<'usb.suppressed'> {
  const { added, removed, other, fromUptimeMs, toUptimeMs } = counts;
  return { port, added, removed, other, fromUptimeMs, toUptimeMs };
}

function foldedOf(folded: number): { readonly folded?: number } {
  return folded > 0 ? { folded } : {};
}
