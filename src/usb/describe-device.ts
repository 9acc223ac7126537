// What sysfs or a uevent tells of a device -> UsbDevice. Pure. What a device claims in strings is made safe here.
import type { UsbClass, UsbDevice, UsbInterface } from '../contracts/usb-device.ts';
import { claimedText } from './claimed-text.ts';
import { deviceIdentity } from './device-identity.ts';
import {
  type ClassTriple,
  type DescriptorFacts,
  type InterfaceFacts,
  parseDescriptors,
} from './parse-descriptors.ts';
import type { RawDevice } from './read-raw-device.ts';
import { type DeviceStrings, noStrings, type StringName } from './string-reader.ts';
import type { UsbNames } from './usb-names.ts';

export type DeviceCode =
  /** It left before it could be read: only what the uevent told is known. */
  | 'usb.device-gone'
  /** Its driver kept the strings locked; a change of the device follows once they could be read. */
  | 'usb.device-strings-late';

const incomplete = { late: 'usb.device-strings-late', gone: 'usb.device-gone' } as const satisfies Record<
  string,
  DeviceCode
>;
const SUPER_SPEED_MBPS = 5_000;
const MAX_PROBLEMS = 32;
const noFacts: DescriptorFacts = {
  device: null,
  interfaces: [],
  maxPowerUnits: null,
  problems: ['usb.descriptor-missing'],
};

/** Which string attributes are worth reading: without descriptors all of them. */
export function claimedStrings({ descriptors }: RawDevice): readonly StringName[] {
  const device = descriptors === null ? null : parseDescriptors(descriptors).device;
  if (device === null) return ['manufacturer', 'product', 'serial'];
  const names: StringName[] = [];
  if (device.hasManufacturer) names.push('manufacturer');
  if (device.hasProduct) names.push('product');
  if (device.hasSerial) names.push('serial');
  return names;
}

/** Strings that are late, or gone with the device, leave the identity unknown: it rests on them. */
export function describeDevice(
  raw: RawDevice,
  port: string,
  { strings, names }: { readonly strings: DeviceStrings | 'late' | 'gone'; readonly names: UsbNames },
): UsbDevice {
  const facts = raw.descriptors === null ? noFacts : parseDescriptors(raw.descriptors);
  const isWhole = typeof strings !== 'string';
  const known = isWhole ? strings : noStrings;
  const ids = idsOf(raw, facts);
  const speedMbps = decimal(raw.attributes.speed);
  const { authorized, removable } = raw.attributes;
  const connectType = raw.attributes['port/connect_type'];
  const deviceClass = classOf(raw, facts);
  const problems: readonly string[] = isWhole ? facts.problems : [...facts.problems, incomplete[strings]];
  return {
    port,
    bus: raw.bus,
    address: raw.address,
    identity: isWhole ? identityOf(raw, facts, known) : null,
    hasSerial: known.serial !== null,
    ...idFields(ids, names),
    ...textField('manufacturer', known.manufacturer),
    ...textField('product', known.product),
    ...textField('serial', known.serial),
    ...versionField(facts.device?.bcdUsb, raw.attributes.version),
    ...(deviceClass === undefined ? {} : { deviceClass: named(deviceClass, names) }),
    ...(speedMbps === undefined ? {} : { speedMbps }),
    ...powerField(facts, speedMbps),
    configurations: facts.device?.configurations ?? configurationsOf(raw),
    interfaces: facts.interfaces.map((each) => toInterface(each, names)),
    ...(authorized === '0' || authorized === '1' ? { authorized: authorized === '1' } : {}),
    ...(removable === 'removable' || removable === 'fixed' || removable === 'unknown' ? { removable } : {}),
    ...(connectType === undefined ? {} : { connectType: claimedText(connectType) }),
    problems: problems.slice(0, MAX_PROBLEMS),
  };
}

/** What is told without sysfs: by a uevent, or by the spool's line of one. */
export interface UeventFacts {
  readonly bus: number | null;
  readonly address: number | null;
  /** `46d/c31c/4920`: hex without leading zeros. */
  readonly product: string | null;
  /** `9/0/1`: decimal. */
  readonly type: string | null;
  readonly manufacturer?: string | undefined;
  readonly model?: string | undefined;
  readonly serial?: string | undefined;
}

/** A device that left before it could be read. */
export function describeGoneDevice(uevent: UeventFacts, port: string, names: UsbNames): UsbDevice {
  const [vendorId, productId, bcdDevice] = numbers(uevent.product, 16, 0xffff);
  const [code, subclass, protocol] = numbers(uevent.type, 10, 0xff);
  const isClassKnown = code !== undefined && subclass !== undefined && protocol !== undefined;
  return {
    port,
    bus: uevent.bus ?? Number.parseInt(port, 10),
    address: uevent.address ?? 0,
    identity: null,
    hasSerial: (uevent.serial ?? '') !== '',
    ...idFields({ vendorId, productId, bcdDevice }, names),
    ...textField('manufacturer', uevent.manufacturer),
    ...textField('product', uevent.model),
    ...textField('serial', uevent.serial),
    ...(isClassKnown ? { deviceClass: named({ class: code, subclass, protocol }, names) } : {}),
    configurations: 0,
    interfaces: [],
    problems: ['usb.device-gone'],
  };
}

interface Ids {
  readonly vendorId: number | undefined;
  readonly productId: number | undefined;
  readonly bcdDevice: number | undefined;
}

function idsOf({ attributes }: RawDevice, { device }: DescriptorFacts): Ids {
  if (device !== null) return device;
  return {
    vendorId: hexadecimal(attributes.idVendor, 4),
    productId: hexadecimal(attributes.idProduct, 4),
    bcdDevice: hexadecimal(attributes.bcdDevice, 4),
  };
}

function idFields({ vendorId, productId, bcdDevice }: Ids, names: UsbNames) {
  const vendorName = vendorId === undefined ? undefined : names.vendor(vendorId);
  const productName =
    vendorId === undefined || productId === undefined ? undefined : names.product(vendorId, productId);
  return {
    ...(vendorId === undefined ? {} : { vendorId: hex(vendorId, 4) }),
    ...(productId === undefined ? {} : { productId: hex(productId, 4) }),
    ...(bcdDevice === undefined ? {} : { revision: hex(bcdDevice, 4) }),
    ...(vendorName === undefined ? {} : { vendorName }),
    ...(productName === undefined ? {} : { productName }),
  };
}

function identityOf(raw: RawDevice, { device }: DescriptorFacts, strings: DeviceStrings): string | null {
  if (raw.descriptors === null || device === null) return null;
  return deviceIdentity({ ...device, ...strings, descriptors: raw.descriptors });
}

function textField<Name extends string>(name: Name, claimed: Uint8Array | string | null | undefined) {
  if (claimed === null || claimed === undefined || claimed.length === 0) return {};
  return { [name]: claimedText(claimed) } as { readonly [key in Name]: string };
}

function versionField(bcd: number | undefined, attribute: string | undefined) {
  const text = bcd === undefined ? attribute : `${(bcd >> 8).toString(16)}.${hex(bcd & 0xff, 2)}`;
  return text !== undefined && /^[0-9a-f]{1,2}\.[0-9a-f]{2}$/.test(text) ? { usbVersion: text } : {};
}

function classOf({ attributes }: RawDevice, { device }: DescriptorFacts): ClassTriple | undefined {
  if (device !== null) return device;
  const code = hexadecimal(attributes.bDeviceClass, 2);
  const subclass = hexadecimal(attributes.bDeviceSubClass, 2);
  const protocol = hexadecimal(attributes.bDeviceProtocol, 2);
  if (code === undefined || subclass === undefined || protocol === undefined) return undefined;
  return { class: code, subclass, protocol };
}

function configurationsOf({ attributes }: RawDevice): number {
  return Math.min(decimal(attributes.bNumConfigurations) ?? 0, 255);
}

/** bMaxPower counts 2 mA, from SuperSpeed on 8 mA (USB 3.2, 9.6.3). */
function powerField({ maxPowerUnits }: DescriptorFacts, speedMbps: number | undefined) {
  if (maxPowerUnits === null) return {};
  return { maxPowerMilliamps: maxPowerUnits * ((speedMbps ?? 0) >= SUPER_SPEED_MBPS ? 8 : 2) };
}

function toInterface(each: InterfaceFacts, names: UsbNames): UsbInterface {
  const { configuration, number, alternate, endpoints } = each;
  return { configuration, number, alternate, ...named(each, names), endpoints };
}

function named(triple: ClassTriple, names: UsbNames): UsbClass {
  const name = names.classOf(triple);
  return {
    class: hex(triple.class, 2),
    subclass: hex(triple.subclass, 2),
    protocol: hex(triple.protocol, 2),
    ...(name === undefined ? {} : { name }),
  };
}

function numbers(text: string | null, radix: 10 | 16, max: number): readonly (number | undefined)[] {
  if (text === null || !/^[0-9a-f]{1,4}(\/[0-9a-f]{1,4}){2}$/i.test(text)) return [];
  return text.split('/').map((part) => {
    const value = radix === 10 && !/^\d+$/.test(part) ? Number.NaN : Number.parseInt(part, radix);
    return value <= max ? value : undefined;
  });
}

function hexadecimal(text: string | undefined, digits: number): number | undefined {
  return text !== undefined && text.length === digits && /^[0-9a-f]+$/.test(text)
    ? Number.parseInt(text, 16)
    : undefined;
}

function decimal(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,6}(\.\d)?$/.test(text) ? Number(text) : undefined;
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}
