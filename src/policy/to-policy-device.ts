// The raw attributes of a device folder in sysfs -> what rules look at, or why rules cannot judge it. Pure.
import { type DescriptorRefusal, deviceHash } from './device-hash.ts';
import { isHubDevice } from './is-hub-device.ts';
import type { PolicyDevice } from './policy-device.ts';

/** Bytes as the kernel gives them; null where the attribute does not exist. */
export interface RawAttributes {
  readonly port: string;
  readonly idVendor: Uint8Array | null;
  readonly idProduct: Uint8Array | null;
  readonly product: Uint8Array | null;
  readonly serial: Uint8Array | null;
  readonly connectType: Uint8Array | null;
  readonly descriptors: Uint8Array | null;
}

export type DeviceRefusal =
  | DescriptorRefusal
  | 'policy.device-gone'
  | 'policy.device-id'
  | 'policy.device-string';

export type DeviceVerdict =
  | { readonly ok: true; readonly device: PolicyDevice }
  | { readonly ok: false; readonly code: DeviceRefusal };

/** USBGuard refuses longer ones. */
const MAX_STRING_BYTES = 253;

export function toPolicyDevice(raw: RawAttributes, parentHash: string): DeviceVerdict {
  if (raw.descriptors === null) return { ok: false, code: 'policy.device-gone' };
  const [vendorId, productId, name, serial, connectType] = [
    byteText(raw.idVendor),
    byteText(raw.idProduct),
    byteText(raw.product),
    byteText(raw.serial),
    byteText(raw.connectType),
  ];
  if (!/^[0-9a-f]{4}$/i.test(vendorId) || !/^[0-9a-f]{4}$/i.test(productId))
    return { ok: false, code: 'policy.device-id' };
  if ([name, serial, connectType].some((text) => text.length > MAX_STRING_BYTES))
    return { ok: false, code: 'policy.device-string' };
  const hashed = deviceHash({ vendorId, productId, name, serial, descriptors: raw.descriptors });
  if (!hashed.ok) return hashed;
  const { hash, interfaces } = hashed;
  const viaPort = raw.port;
  const isHub = isHubDevice(raw.descriptors);
  return {
    ok: true,
    device: { vendorId, productId, serial, name, hash, parentHash, viaPort, connectType, interfaces, isHub },
  };
}

/** Line ends, tabs, backspaces and zero bytes at the end are not part of the text. */
function byteText(bytes: Uint8Array | null): string {
  if (bytes === null) return '';
  const trailing = new Set([0, 8, 9, 10, 13]);
  let end = bytes.length;
  while (end > 0 && trailing.has(bytes[end - 1] ?? 1)) end--;
  return Buffer.from(bytes.subarray(0, end)).toString('latin1');
}
