// Events about devices -> the same, each followed by usb.device.blocked where the policy newly keeps the device from working. Pure;
// both go to one append, so that nobody hears of a device without hearing that it is blocked.
import type { EventDraft } from '../contracts/event.ts';
import type { EventData } from '../contracts/event-types.ts';
import type { UsbVerdict } from '../contracts/usb-policy.ts';

export function withBlockedDrafts(drafts: readonly EventDraft[]): readonly EventDraft[] {
  return drafts.flatMap((draft) => {
    const blocked = blockedDraft(draft);
    return blocked === null ? [draft] : [draft, blocked];
  });
}

type DeviceData = EventData<'usb.device.added'> & Partial<Pick<EventData<'usb.device.changed'>, 'was'>>;

function blockedDraft(draft: EventDraft): EventDraft | null {
  if (draft.type !== 'usb.device.added' && draft.type !== 'usb.device.changed') return null;
  const { device, was } = draft.data as DeviceData;
  const verdict = device.policy;
  if (verdict === undefined || !isBlocking(verdict) || was?.policy?.target === verdict.target) return null;
  const data: EventData<'usb.device.blocked'> = { port: device.port, device, verdict };
  return { ...draft, type: 'usb.device.blocked', data };
}

function isBlocking({ target, enforced }: UsbVerdict): boolean {
  return enforced && target !== 'allow';
}
