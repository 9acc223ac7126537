// Raw descriptors -> whether the kernel's hub driver takes the device, and takes it whole. Pure. An interface that says it is a hub is
// a claim: where hub_probe() refuses it, the kernel goes on to other drivers, by vendor and product for example.

const DEVICE_CLASS = 4;
const CONFIGURATIONS = 17;
const HUB = 9;

interface HubInterface {
  readonly number: number;
  readonly isHub: boolean;
  readonly endpoints: number;
  readonly isInterruptIn: boolean[];
}

/**
 * Conditions of hub_probe() and hub_descriptor_is_sane() (drivers/usb/core/hub.c): one configuration with one interface, subclass 0 or
 * 1, one endpoint, interrupt, in; in each alternate setting, since hubs with a transaction translator per port have two.
 * The class of the device besides: every hub has it (USB 2.0, 11.23.1).
 */
export function isHubDevice(descriptors: Uint8Array): boolean {
  if (descriptors[DEVICE_CLASS] !== HUB || descriptors[CONFIGURATIONS] !== 1) return false;
  const interfaces: HubInterface[] = [];
  const interfaceCounts: number[] = [];
  let at = 0;
  while (at < descriptors.length) {
    const [length = 0, type = 0, ...fields] = descriptors.subarray(at, at + 9);
    if (length < 2) return false;
    const [first = 0, second = 0, third = 0, code = 0, subclass = 0] = fields;
    if (type === 2) interfaceCounts.push(third);
    if (type === 4) {
      const isHub = code === HUB && subclass <= 1;
      interfaces.push({ number: first, isHub, endpoints: third, isInterruptIn: [] });
    }
    if (type === 5) interfaces.at(-1)?.isInterruptIn.push((first & 0x80) !== 0 && (second & 3) === 3);
    at += length;
  }
  const [one] = interfaces;
  return (
    one !== undefined &&
    interfaceCounts.join() === '1' &&
    interfaces.every(
      ({ number, isHub, endpoints, isInterruptIn }) =>
        number === one.number && isHub && endpoints === 1 && isInterruptIn.join() === 'true',
    )
  );
}
