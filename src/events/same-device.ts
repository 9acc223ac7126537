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

/** What a later sight of the same plug says. One that could not be read says only whether the device may work, and why. */
export function stated(known: UsbDevice, sight: UsbDevice): UsbDevice {
  if (sight.identity !== null) return sight;
  const { authorized, policy } = sight;
  return { ...known, ...(authorized !== undefined && { authorized }), ...(policy && { policy }) };
}

/** Whether `b` differs from `a` in nothing but what the policy made of the device. */
export function isSameButPolicy(a: UsbDevice, b: UsbDevice): boolean {
  const { policy: _a, authorized: _b, ...factsOfA } = a;
  const { policy: _c, authorized: _d, ...factsOfB } = b;
  return isDeepStrictEqual(factsOfA, factsOfB);
}

/** Device `b` could be read where `a` could not. */
export function completes(a: UsbDevice, b: UsbDevice): boolean {
  return a.identity === null && b.identity !== null && a.address === b.address;
}
