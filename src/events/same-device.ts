// When two sights of one port are the same device, and when they say the same about it.
import { isDeepStrictEqual } from 'node:util';
import type { UsbDevice } from '../contracts/usb-device.ts';

/** Unreadable (`identity: null`) contradicts nothing. */
function isSameIdentity(a: UsbDevice, b: UsbDevice): boolean {
  return a.identity === null || b.identity === null || a.identity === b.identity;
}

/** Within one boot: the kernel gives every plug a new address, so the same address is the same plug. */
export function isSamePlug(a: UsbDevice, b: UsbDevice): boolean {
  return a.address === b.address && isSameIdentity(a, b);
}

/** Across a reboot, where addresses mean nothing. Unreadable devices are then compared by what little is known. */
export function isSameAfterBoot(a: UsbDevice, b: UsbDevice): boolean {
  if (a.identity !== null && b.identity !== null) return a.identity === b.identity;
  return a.vendorId === b.vendorId && a.productId === b.productId;
}

export function isSameFacts(a: UsbDevice, b: UsbDevice): boolean {
  return isDeepStrictEqual(a, b);
}

/** Like isSameFacts, without what every boot deals anew. */
export function isSameFactsAfterBoot(a: UsbDevice, b: UsbDevice): boolean {
  return isDeepStrictEqual({ ...a, bus: b.bus, address: b.address }, b);
}

/** Device `b` could be read where `a` could not. */
export function completes(a: UsbDevice, b: UsbDevice): boolean {
  return a.identity === null && b.identity !== null && a.address === b.address;
}
