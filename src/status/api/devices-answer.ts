// The devices on the bus as the API shows them: with their verdicts, and with what that knowledge rests on.
import { type Static, Type } from 'typebox';
import { PartHealth } from '../../contracts/health.ts';
import { OrNull } from '../../contracts/or-null.ts';
import { UsbDevice } from '../../contracts/usb-device.ts';
import type { UsbVerdict } from '../../contracts/usb-policy.ts';
import { UsbPortState } from '../../contracts/usb-port-state.ts';
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
  ports: Type.Array(UsbPortState, {
    description: 'Where something is plugged in that is no device yet, or did not become one.',
  }),
});

export function createDevicesAnswer(
  { control, devices, health, ports }: Pick<StatusOptions, 'control' | 'devices' | 'health' | 'ports'>,
  stamp: () => Stamp,
): () => Readonly<Record<string, unknown>> {
  return () => {
    const parts = Object.entries(health().parts).filter(([part]) => /^usb\b/.test(part));
    const present = devices();
    const taken = new Set(present.map(({ port }) => port));
    return {
      ...stamp(),
      restsOn: Object.fromEntries(parts),
      devices: present.map((device) => {
        const given = control.verdictAt(device.port);
        const verdict = shownVerdict(device.policy ?? given?.verdict ?? null, given?.since ?? null);
        return { ...device, verdict };
      }),
      // A device that is listed is not on its way any more.
      ports: ports().filter(({ port, state }) => state === 'failed' || !taken.has(port)),
    };
  };
}

function shownVerdict(policy: UsbVerdict | null, at: string | null): Static<typeof ShownVerdict> {
  if (policy === null) return { target: null, rule: null, reason: null, at: null };
  const isRule = policy.by === 'rule';
  const reason = policy.enforced ? policy.reason : `${policy.reason} (only reported)`;
  return { target: policy.target, rule: isRule ? policy.reason : null, reason, at };
}
