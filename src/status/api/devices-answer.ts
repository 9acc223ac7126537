// The devices on the bus as the API shows them: with their verdicts, and with what that knowledge rests on.
import { type Static, Type } from 'typebox';
import { PartHealth } from '../../contracts/health.ts';
import { OrNull } from '../../contracts/or-null.ts';
import { UsbDevice } from '../../contracts/usb-device.ts';
import type { UsbVerdict } from '../../contracts/usb-policy.ts';
import type { StatusOptions } from '../status-options.ts';
import { type Stamp, stamped } from './stamp.ts';

const closed = { additionalProperties: false } as const;

const ShownVerdict = Type.Object(
  {
    target: OrNull(Type.Union([Type.Literal('allow'), Type.Literal('block'), Type.Literal('reject')])),
    rule: OrNull(Type.String()),
    reason: OrNull(Type.String()),
    at: OrNull(
      Type.String({
        description: 'Since when this holds, also when it was judged again since; null: no verdict.',
      }),
    ),
  },
  closed,
);

export const DevicesAnswer = stamped({
  restsOn: Type.Record(Type.String(), PartHealth),
  devices: Type.Array(Type.Object({ ...UsbDevice.properties, verdict: ShownVerdict }, closed)),
});

export function createDevicesAnswer(
  { control, devices, health }: Pick<StatusOptions, 'control' | 'devices' | 'health'>,
  stamp: () => Stamp,
): () => Readonly<Record<string, unknown>> {
  return () => {
    const parts = Object.entries(health().parts).filter(([part]) => /^usb\b/.test(part));
    return {
      ...stamp(),
      restsOn: Object.fromEntries(parts),
      devices: devices().map((device) => {
        const given = control.verdictAt(device.port);
        const verdict = shownVerdict(device.policy ?? given?.verdict ?? null, given?.since ?? null);
        return { ...device, verdict };
      }),
    };
  };
}

function shownVerdict(policy: UsbVerdict | null, at: string | null): Static<typeof ShownVerdict> {
  if (policy === null) return { target: null, rule: null, reason: null, at: null };
  const isRule = policy.by === 'rule';
  const reason = policy.enforced ? policy.reason : `${policy.reason} (only reported)`;
  return { target: policy.target, rule: isRule ? policy.reason : null, reason, at };
}
