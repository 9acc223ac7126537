// A device written down as a rule (`allow id 046d:c31c name "…" via-port "1-1"`, as `generate` and `usbguard list-devices` print it) -> the
// device, for trying a policy without plugging anything in. Pure.
import type { PolicyDevice } from './policy-device.ts';
import { attributeWords, type RuleBody, type ValueSet } from './rule.ts';

export type WrittenDevice =
  | { readonly ok: true; readonly device: PolicyDevice }
  | { readonly ok: false; readonly reason: string };

/** What is not written is '' or empty; a device has one id, so that must be there. */
export function deviceFromRule(body: RuleBody): WrittenDevice {
  const id = body.id?.values[0];
  if (id === undefined || id.vendor === '*' || id.product === '*')
    return { ok: false, reason: 'a device needs its whole id, such as id 046d:c31c' };
  if (body.conditions !== undefined) return { ok: false, reason: 'a device has no conditions' };
  const single = ['id', 'serial', 'name', 'hash', 'parentHash', 'viaPort', 'withConnectType'] as const;
  const several = single.find((name) => !isSingle(body[name]));
  if (several !== undefined)
    return { ok: false, reason: `a device has one ${attributeWords[several]}, not a set` };
  const { withInterface } = body;
  if (withInterface !== undefined && !['equals', 'equals-ordered'].includes(withInterface.operator))
    return { ok: false, reason: 'a device has its interfaces without an operator' };
  const interfaces = (withInterface?.values ?? []).flatMap(({ class: code, subclass, protocol }) =>
    subclass === null || protocol === null ? [] : [{ class: code, subclass, protocol }],
  );
  if (interfaces.length !== (withInterface?.values.length ?? 0))
    return { ok: false, reason: 'a device has whole interface types, without asterisks' };
  return {
    ok: true,
    device: {
      vendorId: id.vendor.toLowerCase(),
      productId: id.product.toLowerCase(),
      serial: body.serial?.values[0] ?? '',
      name: body.name?.values[0] ?? '',
      hash: body.hash?.values[0] ?? '',
      parentHash: body.parentHash?.values[0] ?? '',
      viaPort: body.viaPort?.values[0] ?? '',
      connectType: body.withConnectType?.values[0] ?? '',
      interfaces,
      // A rule does not say what tells a hub from a device that claims to be one.
      isHub: false,
    },
  };
}

function isSingle(set: ValueSet<unknown> | undefined): boolean {
  return set === undefined || (set.operator === 'equals' && set.values.length === 1);
}
