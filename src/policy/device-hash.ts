// Descriptors and strings of a device -> the hash and the interfaces by which USBGuard knows it, so that its rule files work
// unchanged. Pure. What USBGuard's reader refuses is refused here too, and then nothing can allow the device.
import { createHash } from 'node:crypto';
import type { InterfaceType } from './policy-device.ts';

export interface HashInput {
  readonly vendorId: string;
  readonly productId: string;
  /** Byte strings. */
  readonly name: string;
  readonly serial: string;
  readonly descriptors: Uint8Array;
}

export type DescriptorRefusal =
  | 'policy.descriptor-length'
  | 'policy.descriptor-truncated'
  | 'policy.descriptor-size'
  | 'policy.descriptor-order'
  | 'policy.descriptor-missing';

export type HashVerdict =
  | { readonly ok: true; readonly hash: string; readonly interfaces: readonly InterfaceType[] }
  | { readonly ok: false; readonly code: DescriptorRefusal };

const DEVICE = 1;
const CONFIGURATION = 2;
const INTERFACE = 4;
const ENDPOINT = 5;
/** bLength that USBGuard takes for each type; an audio endpoint has two more bytes. */
const sizes: Readonly<Record<number, readonly number[]>> = {
  [DEVICE]: [18],
  [CONFIGURATION]: [9],
  [INTERFACE]: [9],
  [ENDPOINT]: [7, 9],
};
const BCD_DEVICE = 12;

export function deviceHash(input: HashInput): HashVerdict {
  const walked = walkDescriptors(input.descriptors);
  if (!walked.ok) return walked;
  const hash = createHash('sha256');
  for (const field of [input.name, input.vendorId, input.productId, input.serial])
    hash.update(field, 'latin1');
  hash.update(withoutKernelVersion(input.descriptors));
  return { ok: true, hash: hash.digest('base64'), interfaces: walked.interfaces };
}

/** The hash of something that is no USB device, such as the PCI controller above a root hub. */
export function textHash(text: string): string {
  return createHash('sha256').update(text, 'latin1').digest('base64');
}

/** A root hub's bcdDevice is the version of the kernel: left out, or every kernel update would make unknown devices. */
function withoutKernelVersion(descriptors: Uint8Array): Uint8Array {
  const view = Buffer.from(descriptors);
  const isRootHub = view.readUInt16LE(8) === 0x1d6b && [1, 2, 3].includes(view.readUInt16LE(10));
  if (isRootHub) view.writeUInt16LE(0, BCD_DEVICE);
  return view;
}

type Walked =
  | { readonly ok: true; readonly interfaces: readonly InterfaceType[] }
  | { readonly ok: false; readonly code: DescriptorRefusal };

function walkDescriptors(bytes: Uint8Array): Walked {
  const interfaces: InterfaceType[] = [];
  const seen = new Set<number>();
  let at = 0;
  while (at < bytes.length) {
    const [length = 0, type = 0] = bytes.subarray(at, at + 2);
    if (at + 2 > bytes.length) return { ok: false, code: 'policy.descriptor-truncated' };
    if (length < 2) return { ok: false, code: 'policy.descriptor-length' };
    if (at + length > bytes.length) return { ok: false, code: 'policy.descriptor-truncated' };
    if (sizes[type]?.includes(length) === false) return { ok: false, code: 'policy.descriptor-size' };
    if (!isInOrder(type, seen)) return { ok: false, code: 'policy.descriptor-order' };
    if (type === CONFIGURATION) seen.delete(INTERFACE);
    seen.add(type);
    if (type === INTERFACE) {
      const [code = 0, subclass = 0, protocol = 0] = bytes.subarray(at + 5, at + 8);
      interfaces.push({ class: code, subclass, protocol });
    }
    at += length;
  }
  return seen.has(DEVICE) ? { ok: true, interfaces } : { ok: false, code: 'policy.descriptor-missing' };
}

function isInOrder(type: number, seen: ReadonlySet<number>): boolean {
  switch (type) {
    case DEVICE:
      return !seen.has(DEVICE);
    case CONFIGURATION:
      return seen.has(DEVICE);
    case INTERFACE:
      return seen.has(CONFIGURATION);
    case ENDPOINT:
      return seen.has(INTERFACE);
    default:
      return true;
  }
}
