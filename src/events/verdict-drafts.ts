// Events about devices -> the same, each followed by usb.device.blocked or usb.device.allowed where the policy newly keeps the device from
// working, or no longer does. Pure; both go to one append, so that nobody hears of a device without hearing that it is blocked.
import type { EventDraft } from '../contracts/event.ts';
import type { EventData } from '../contracts/event-types.ts';
import type { UsbVerdict } from '../contracts/usb-policy.ts';

export function withVerdictDrafts(drafts: readonly EventDraft[]): readonly EventDraft[] {
  return drafts.flatMap((draft) => {
    const verdict = verdictDraft(draft);
    return verdict === null ? [draft] : [draft, verdict];
  });
}

type DeviceData = EventData<'usb.device.added'> & Partial<Pick<EventData<'usb.device.changed'>, 'was'>>;

function verdictDraft(draft: EventDraft): EventDraft | null {
  if (draft.type !== 'usb.device.added' && draft.type !== 'usb.device.changed') return null;
  const { device, was } = draft.data as DeviceData;
  const verdict = device.policy;
  if (verdict === undefined) return null;
  const before = was?.policy;
  const wasBlocked = before !== undefined && isBlocking(before);
  const data: EventData<'usb.device.blocked'> = { port: device.port, device, verdict };
  if (!isBlocking(verdict)) return wasBlocked ? { ...draft, type: 'usb.device.allowed', data } : null;
  const isNew = !wasBlocked || before.target !== verdict.target;
  return isNew ? { ...draft, type: 'usb.device.blocked', data } : null;
}

function isBlocking({ target, enforced }: UsbVerdict): boolean {
  return enforced && target !== 'allow';
}
