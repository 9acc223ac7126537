// Who a device is, whatever port it is plugged into: SHA-256 over everything it says about itself. A device reports other
// descriptors at another speed (USB 2 or 3 socket), so one device may have one identity per speed.
import { createHash } from 'node:crypto';

export interface IdentityParts {
  readonly vendorId: number;
  readonly productId: number;
  readonly bcdDevice: number;
  /** Raw bytes as the kernel gives them, null for none. */
  readonly manufacturer: Uint8Array | null;
  readonly product: Uint8Array | null;
  readonly serial: Uint8Array | null;
  readonly descriptors: Uint8Array;
}

const DOMAIN = 'autoweave usb device identity 1';
const NONE = 0xffff_ffff;

/** Each field is preceded by its length, so that moving a byte from one field to the next gives another identity. */
export function deviceIdentity(parts: IdentityParts): string {
  const ids = Buffer.alloc(6);
  ids.writeUInt16LE(parts.vendorId, 0);
  ids.writeUInt16LE(parts.productId, 2);
  ids.writeUInt16LE(parts.bcdDevice, 4);
  const hash = createHash('sha256');
  const { serial, manufacturer, product, descriptors } = parts;
  for (const field of [Buffer.from(DOMAIN), ids, serial, manufacturer, product, descriptors]) {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(field === null ? NONE : field.length);
    hash.update(length);
    if (field !== null) hash.update(field);
  }
  return hash.digest('hex');
}
