// What of a device the rules look at. Texts are byte strings, as in rule.ts; '' where the device has none.

export interface InterfaceType {
  readonly class: number;
  readonly subclass: number;
  readonly protocol: number;
}

export interface PolicyDevice {
  /** idVendor and idProduct as sysfs writes them: four lower-case hex digits each. */
  readonly vendorId: string;
  readonly productId: string;
  readonly serial: string;
  readonly name: string;
  readonly hash: string;
  readonly parentHash: string;
  /** `usb1` is a root hub, `1-1.4` a device. */
  readonly viaPort: string;
  readonly connectType: string;
  /** Of all configurations and alternate settings, in the order of the descriptors. */
  readonly interfaces: readonly InterfaceType[];
  /** The kernel's hub driver takes it; no rule asks for that, the safety floor does. */
  readonly isHub: boolean;
}
