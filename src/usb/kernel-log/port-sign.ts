// What one line of the kernel's log says about a USB port; null: nothing that is watched for. Pure. The texts are those of
// drivers/usb/core/hub.c, message.c, config.c and generic.c (6.1 to 6.12); a line that reads otherwise is no sign.
import type { UsbPortFault } from '../../contracts/usb-port-state.ts';
import { claimedText } from '../claimed-text.ts';
import { isDevicePort } from '../usb-port.ts';

export type PortSign =
  | { readonly kind: 'enumerating'; readonly port: string; readonly speedMbps: number }
  /** Read: what it calls itself follows, and then the kernel's record of it. */
  | {
      readonly kind: 'found';
      readonly port: string;
      readonly vendorId: string;
      readonly productId: string;
    }
  | {
      readonly kind: 'named';
      readonly port: string;
      readonly what: 'manufacturer' | 'product';
      readonly text: string;
    }
  /** With all that hangs on it; `1-` is the whole bus. */
  | { readonly kind: 'gone'; readonly port: string }
  /** An attempt went wrong; the kernel tries again, or gives up with `failed`. */
  | { readonly kind: 'trouble'; readonly port: string; readonly code: UsbPortFault; readonly why: string }
  /** code null: as the trouble before it. */
  | {
      readonly kind: 'failed';
      readonly port: string;
      readonly code: UsbPortFault | null;
      readonly why: string;
    }
  /** It has died; or it was started (again), or taken away as a whole. */
  | { readonly kind: 'controller'; readonly controller: string; readonly isAlive: boolean };

const speeds: Readonly<Record<string, number>> = {
  'low-speed': 1.5,
  'full-speed': 12,
  'high-speed': 480,
  SuperSpeed: 5_000,
  'SuperSpeed Plus': 10_000,
};
/** PCI and platform drivers: `xhci_hcd 0000:00:14.0`, `ehci-pci …`, `dwc2 fe980000.usb`. */
const controllerLine = /^(?:[xeuo]hci[_-][a-z]{3,8}|dwc2|dwc_otg) ([0-9a-zA-Z:.@-]{1,64}): (.*)$/;
const begun =
  /^new (low-speed|full-speed|high-speed|SuperSpeed(?: Plus)?)(?: Gen \dx\d)? USB device number \d+ using /;
const troubles: readonly (readonly [RegExp, UsbPortFault])[] = [
  [/^device descriptor read\/(8|64), error -\d+$/, 'usb.port-no-answer'],
  [/^device not accepting address \d+, error -\d+$/, 'usb.port-no-answer'],
  [/^[Dd]evice not responding to setup address/, 'usb.port-no-answer'],
  [/^hub failed to enable device, error -\d+$/, 'usb.port-no-answer'],
  [/^Cannot enable\. Maybe the USB cable is bad\?$/, 'usb.port-cable'],
  [/^device descriptor read\/all, error -\d+$/, 'usb.port-unreadable'],
  [/^can't read configurations, error -\d+$/, 'usb.port-unreadable'],
];
const failures: readonly (readonly [RegExp, UsbPortFault | null])[] = [
  [/^unable to enumerate USB device$/, null],
  [/^rejected \d+ configurations? due to insufficient available bus power$/, 'usb.port-too-little-power'],
  [/^can't set config #\d+, error -\d+$/, 'usb.port-not-configured'],
  [/^over-current condition$/, 'usb.port-over-current'],
  [/^connect-debounce failed$/, 'usb.port-unsteady'],
  [/^disabled by hub \(EMI\?\), re-enabling\.\.\.$/, 'usb.port-disturbed'],
];

export function portSign(line: string): PortSign | null {
  const [, controller, said = ''] = controllerLine.exec(line) ?? [];
  if (controller !== undefined) {
    if (said === 'HC died; cleaning up') return { kind: 'controller', controller, isAlive: false };
    // Pulled out with its dock, it dies and is deregistered.
    const isStarted = /^new USB bus registered, assigned bus number \d+$/.test(said);
    return isStarted || /^USB bus \d+ deregistered$/.test(said)
      ? { kind: 'controller', controller, isAlive: true }
      : null;
  }
  const [, place = '', why = ''] = /^(?:usb|hub) ([0-9a-z.-]{1,64}): (.*)$/.exec(line) ?? [];
  const [, bus] = /^usb(\d{1,3})$/.exec(place) ?? [];
  const isGone = /^USB disconnect, device number \d+$/.test(why);
  if (bus !== undefined) return isGone ? { kind: 'gone', port: `${bus}-` } : null;
  const port = portAt(place);
  if (port === null) return null;

  const speed = begun.exec(why);
  if (speed !== null) return { kind: 'enumerating', port, speedMbps: speeds[speed[1] ?? ''] ?? 0 };
  const [, vendorId, productId] =
    /^New USB device found, idVendor=([0-9a-f]{4}), idProduct=([0-9a-f]{4}),/.exec(why) ?? [];
  if (vendorId !== undefined && productId !== undefined) return { kind: 'found', port, vendorId, productId };
  const [, what, claimed] = /^(Manufacturer|Product): (.+)$/.exec(why) ?? [];
  if (claimed !== undefined)
    return {
      kind: 'named',
      port,
      what: what === 'Product' ? 'product' : 'manufacturer',
      text: claimedText(unescaped(claimed)),
    };
  if (isGone) return { kind: 'gone', port };
  const trouble = troubles.find(([text]) => text.test(why));
  if (trouble !== undefined) return { kind: 'trouble', port, code: trouble[1], why };
  const failure = failures.find(([text]) => text.test(why));
  return failure === undefined ? null : { kind: 'failed', port, code: failure[1], why };
}

/** Bytes that do not print, and the backslash, stand as `\\x0a` in the log. */
function unescaped(text: string): Uint8Array {
  const bytes = text.replaceAll(/\\x([0-9a-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(bytes, 'latin1');
}

/** `1-1.4` is a device's own name, `usb1-port2` and `1-1-port4` the kernel's of a root hub's port and of a hub's. */
function portAt(place: string): string | null {
  const [, bus, socket] = /^usb(\d{1,3})-port(\d{1,3})$/.exec(place) ?? [];
  if (bus !== undefined) return `${bus}-${socket}`;
  const [, hub, below] = /^(\d{1,3}-[\d.]{1,32})-port(\d{1,3})$/.exec(place) ?? [];
  const port = hub === undefined ? place : `${hub}.${below}`;
  return isDevicePort(port) ? port : null;
}
