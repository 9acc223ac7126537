// What no policy may cut off: root hubs, hubs, the medium the appliance runs from, and the last keyboard. Pure. Whether something
// is a root hub or the boot medium is told by the kernel, never by what a device says of itself; a hub is what the kernel's hub driver takes.
import type { InterfaceType, PolicyDevice } from './policy-device.ts';
import type { Target } from './rule.ts';

export type FloorReason = 'root-hub' | 'hub' | 'boot-medium' | 'last-keyboard';

const HID = 3;

/** Boot keyboards, and what may be one: a HID interface that does not say what it is (subclass 0) is none here. */
export function isKeyboard({ interfaces }: { readonly interfaces: readonly InterfaceType[] }): boolean {
  return interfaces.some(
    ({ class: code, subclass, protocol }) => code === HID && subclass === 1 && protocol === 1,
  );
}

export function floorOf(device: PolicyDevice, bootPorts: ReadonlySet<string>): FloorReason | null {
  if (/^usb\d+$/.test(device.viaPort)) return 'root-hub';
  if (bootPorts.has(device.viaPort)) return 'boot-medium';
  // What is plugged into a hub is judged itself.
  return device.isHub ? 'hub' : null;
}

export interface Judged {
  readonly device: PolicyDevice;
  readonly isAuthorized: boolean;
  readonly target: Target;
}

/**
 * Ports of keyboards that work now, are to be cut, and of which no other remains; empty when one remains or none works. All of
 * them are named: which one is in a person's reach cannot be known.
 */
export function lastKeyboards(judged: readonly Judged[]): readonly string[] {
  const working = judged.filter(({ device, isAuthorized }) => isAuthorized && isKeyboard(device));
  const remains = judged.some(({ device, target }) => isKeyboard(device) && target === 'allow');
  return remains ? [] : working.map(({ device }) => device.viaPort);
}
