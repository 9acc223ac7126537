// The raw `descriptors` file of sysfs -> facts and problem codes. Pure, throws nothing: every byte is the device's claim, so
// what is malformed is said beside what could be read. Layout: device descriptor (18 bytes, USB 2.0 table 9-8), then each
// configuration with everything that belongs to it, in order; the kernel cuts a configuration at what it could read.

export type DescriptorCode =
  | 'usb.descriptor-missing'
  | 'usb.descriptor-too-large'
  | 'usb.descriptor-device-short'
  | 'usb.descriptor-device-length'
  | 'usb.descriptor-device-type'
  | 'usb.descriptor-length'
  | 'usb.descriptor-truncated'
  | 'usb.descriptor-stray'
  | 'usb.descriptor-config-length'
  | 'usb.descriptor-config-count'
  | 'usb.descriptor-total-length'
  | 'usb.descriptor-interface-length'
  | 'usb.descriptor-interface-count'
  | 'usb.descriptor-interface-repeated'
  | 'usb.descriptor-interfaces-too-many'
  | 'usb.descriptor-endpoint-length'
  | 'usb.descriptor-endpoint-stray'
  | 'usb.descriptor-endpoint-count'
  | 'usb.descriptor-association-length'
  | 'usb.descriptor-association-range';

export interface ClassTriple {
  readonly class: number;
  readonly subclass: number;
  readonly protocol: number;
}

export interface DeviceFacts extends ClassTriple {
  readonly bcdUsb: number;
  readonly vendorId: number;
  readonly productId: number;
  readonly bcdDevice: number;
  /** Whether the device claims to have the string at all. */
  readonly hasManufacturer: boolean;
  readonly hasProduct: boolean;
  readonly hasSerial: boolean;
  readonly configurations: number;
}

export interface InterfaceFacts extends ClassTriple {
  /** bConfigurationValue of the configuration it belongs to. */
  readonly configuration: number;
  readonly number: number;
  readonly alternate: number;
  readonly endpoints: number;
}

export interface DescriptorFacts {
  readonly device: DeviceFacts | null;
  readonly interfaces: readonly InterfaceFacts[];
  /** bMaxPower of the first configuration in its own unit: 2 mA, 8 mA from SuperSpeed on. */
  readonly maxPowerUnits: number | null;
  readonly problems: readonly DescriptorCode[];
}

export const MAX_DESCRIPTOR_BYTES = 262_144;
export const MAX_INTERFACES = 256;

const CONFIGURATION = 0x02;
const INTERFACE = 0x04;
const ENDPOINT = 0x05;
const ASSOCIATION = 0x0b;

interface OpenConfiguration {
  readonly value: number;
  readonly at: number;
  readonly totalLength: number;
  readonly claimedInterfaces: number;
  readonly numbers: Set<number>;
  readonly alternates: Set<number>;
}

interface Walk {
  readonly bytes: Uint8Array;
  readonly problems: Set<DescriptorCode>;
  readonly interfaces: InterfaceFacts[];
  configurations: number;
  maxPowerUnits: number | null;
  configuration: OpenConfiguration | null;
  endpointsClaimed: number;
  endpointsSeen: number;
  hasInterface: boolean;
}

export function parseDescriptors(bytes: Uint8Array): DescriptorFacts {
  const walk: Walk = {
    bytes,
    problems: new Set(),
    interfaces: [],
    configurations: 0,
    maxPowerUnits: null,
    configuration: null,
    endpointsClaimed: 0,
    endpointsSeen: 0,
    hasInterface: false,
  };
  const device = readDevice(walk);
  if (device !== null) {
    walkConfigurations(walk);
    if (walk.configurations !== device.configurations) walk.problems.add('usb.descriptor-config-count');
  }
  const { interfaces, maxPowerUnits, problems } = walk;
  return { device, interfaces, maxPowerUnits, problems: [...problems] };
}

function readDevice({ bytes, problems }: Walk): DeviceFacts | null {
  if (bytes.length > MAX_DESCRIPTOR_BYTES) problems.add('usb.descriptor-too-large');
  if (bytes.length < 18) {
    problems.add(bytes.length === 0 ? 'usb.descriptor-missing' : 'usb.descriptor-device-short');
    return null;
  }
  if (byteAt(bytes, 0) !== 18) problems.add('usb.descriptor-device-length');
  if (byteAt(bytes, 1) !== 1) problems.add('usb.descriptor-device-type');
  return {
    bcdUsb: wordAt(bytes, 2),
    class: byteAt(bytes, 4),
    subclass: byteAt(bytes, 5),
    protocol: byteAt(bytes, 6),
    vendorId: wordAt(bytes, 8),
    productId: wordAt(bytes, 10),
    bcdDevice: wordAt(bytes, 12),
    hasManufacturer: byteAt(bytes, 14) !== 0,
    hasProduct: byteAt(bytes, 15) !== 0,
    hasSerial: byteAt(bytes, 16) !== 0,
    configurations: byteAt(bytes, 17),
  };
}

function walkConfigurations(walk: Walk): void {
  const { bytes, problems } = walk;
  const end = Math.min(bytes.length, MAX_DESCRIPTOR_BYTES);
  let at = 18;
  while (at < end) {
    const length = byteAt(bytes, at);
    if (at + 2 > end || at + length > end) {
      problems.add('usb.descriptor-truncated');
      break;
    }
    // Below 2 there is no way to the next descriptor.
    if (length < 2) {
      problems.add('usb.descriptor-length');
      break;
    }
    readDescriptor(walk, at, length);
    at += length;
  }
  closeInterface(walk);
  closeConfiguration(walk, at);
}

function readDescriptor(walk: Walk, at: number, length: number): void {
  const { bytes, problems } = walk;
  switch (byteAt(bytes, at + 1)) {
    case CONFIGURATION:
      closeInterface(walk);
      closeConfiguration(walk, at);
      if (length < 9) problems.add('usb.descriptor-config-length');
      else openConfiguration(walk, at);
      return;
    case INTERFACE:
      closeInterface(walk);
      if (length < 9) problems.add('usb.descriptor-interface-length');
      else readInterface(walk, at);
      return;
    case ENDPOINT:
      if (length < 7) problems.add('usb.descriptor-endpoint-length');
      else if (!walk.hasInterface) problems.add('usb.descriptor-endpoint-stray');
      else walk.endpointsSeen++;
      return;
    case ASSOCIATION:
      if (length < 8) problems.add('usb.descriptor-association-length');
      else if (byteAt(bytes, at + 2) + byteAt(bytes, at + 3) > 256 || byteAt(bytes, at + 3) === 0)
        problems.add('usb.descriptor-association-range');
      return;
    default:
      // Class-specific and companion descriptors are skipped; outside of a configuration nothing belongs.
      if (walk.configuration === null) problems.add('usb.descriptor-stray');
  }
}

function openConfiguration(walk: Walk, at: number): void {
  const { bytes } = walk;
  walk.configurations++;
  if (walk.configurations === 1) walk.maxPowerUnits = byteAt(bytes, at + 8);
  walk.configuration = {
    value: byteAt(bytes, at + 5),
    at,
    totalLength: wordAt(bytes, at + 2),
    claimedInterfaces: byteAt(bytes, at + 4),
    numbers: new Set(),
    alternates: new Set(),
  };
}

function closeConfiguration(walk: Walk, end: number): void {
  const { configuration, problems } = walk;
  if (configuration === null) return;
  if (end - configuration.at !== configuration.totalLength) problems.add('usb.descriptor-total-length');
  if (configuration.numbers.size !== configuration.claimedInterfaces)
    problems.add('usb.descriptor-interface-count');
  walk.configuration = null;
}

function readInterface(walk: Walk, at: number): void {
  const { bytes, problems, configuration } = walk;
  if (configuration === null) {
    problems.add('usb.descriptor-stray');
    return;
  }
  const number = byteAt(bytes, at + 2);
  const alternate = byteAt(bytes, at + 3);
  const key = number * 256 + alternate;
  if (configuration.alternates.has(key)) problems.add('usb.descriptor-interface-repeated');
  configuration.numbers.add(number);
  configuration.alternates.add(key);
  walk.hasInterface = true;
  walk.endpointsClaimed = byteAt(bytes, at + 4);
  if (walk.interfaces.length >= MAX_INTERFACES) {
    problems.add('usb.descriptor-interfaces-too-many');
    return;
  }
  walk.interfaces.push({
    configuration: configuration.value,
    number,
    alternate,
    class: byteAt(bytes, at + 5),
    subclass: byteAt(bytes, at + 6),
    protocol: byteAt(bytes, at + 7),
    endpoints: walk.endpointsClaimed,
  });
}

function closeInterface(walk: Walk): void {
  if (walk.hasInterface && walk.endpointsSeen !== walk.endpointsClaimed)
    walk.problems.add('usb.descriptor-endpoint-count');
  walk.hasInterface = false;
  walk.endpointsSeen = 0;
  walk.endpointsClaimed = 0;
}

/** Callers have checked the length; 0 keeps the type simple where they have. */
function byteAt(bytes: Uint8Array, at: number): number {
  return bytes[at] ?? 0;
}

function wordAt(bytes: Uint8Array, at: number): number {
  return byteAt(bytes, at) | (byteAt(bytes, at + 1) << 8);
}
