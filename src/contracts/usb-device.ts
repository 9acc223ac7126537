// One USB device as everybody outside usb/ sees it: in events, in the API, in the inventory, in the UsbState.
import { type Static, Type } from 'typebox';
import { UsbVerdict } from './usb-policy.ts';

const Hex = (digits: number) => Type.String({ pattern: `^[0-9a-f]{${digits}}$` });
const closed = { additionalProperties: false } as const;

export const UsbClass = Type.Object(
  {
    class: Hex(2),
    subclass: Hex(2),
    protocol: Hex(2),
    name: Type.Optional(Type.String({ description: 'From usb.ids, most exact level known.' })),
  },
  closed,
);
export type UsbClass = Static<typeof UsbClass>;

export const UsbInterface = Type.Object(
  {
    configuration: Type.Integer({ minimum: 0, maximum: 255 }),
    number: Type.Integer({ minimum: 0, maximum: 255 }),
    alternate: Type.Integer({ minimum: 0, maximum: 255 }),
    ...UsbClass.properties,
    endpoints: Type.Integer({
      minimum: 0,
      maximum: 255,
      description: 'bNumEndpoints as the descriptor claims.',
    }),
  },
  closed,
);
export type UsbInterface = Static<typeof UsbInterface>;

export const UsbPort = Type.String({
  pattern: '^[0-9]{1,3}-[0-9]{1,3}(\\.[0-9]{1,3}){0,6}$',
  description: 'Kernel port path, stable for the same socket: 1-1.4',
});

/** Strings are the device's own claim: control characters and invalid UTF-8 are replaced, 255 characters at most. */
const Claimed = Type.String({ maxLength: 255 });

export const UsbDevice = Type.Object(
  {
    port: UsbPort,
    bus: Type.Integer({ minimum: 0 }),
    address: Type.Integer({ minimum: 0, description: 'devnum; changes with every plug' }),
    identity: Type.Union([Type.String({ pattern: '^[0-9a-f]{64}$' }), Type.Null()], {
      description:
        'SHA-256 over the raw descriptors and strings, independent of the port; null when they could not be read.',
    }),
    hasSerial: Type.Boolean({ description: 'false: two such devices are told apart by port alone' }),
    vendorId: Type.Optional(Hex(4)),
    productId: Type.Optional(Hex(4)),
    revision: Type.Optional(
      Type.String({ pattern: '^[0-9a-f]{4}$', description: 'bcdDevice, four hex digits' }),
    ),
    vendorName: Type.Optional(Type.String({ description: 'From usb.ids' })),
    productName: Type.Optional(Type.String({ description: 'From usb.ids' })),
    manufacturer: Type.Optional(Claimed),
    product: Type.Optional(Claimed),
    serial: Type.Optional(Claimed),
    usbVersion: Type.Optional(
      Type.String({ pattern: '^[0-9a-f]{1,2}\\.[0-9a-f]{2}$', description: 'bcdUSB: 2.00, 3.20' }),
    ),
    deviceClass: Type.Optional(UsbClass),
    speedMbps: Type.Optional(Type.Number({ minimum: 0, description: '1.5, 12, 480, 5000 …' })),
    maxPowerMilliamps: Type.Optional(
      Type.Integer({ minimum: 0, description: 'bMaxPower of the first configuration' }),
    ),
    configurations: Type.Integer({ minimum: 0, maximum: 255 }),
    interfaces: Type.Array(UsbInterface, { maxItems: 256 }),
    authorized: Type.Optional(Type.Boolean()),
    policy: Type.Optional({
      ...UsbVerdict,
      description:
        'The verdict of the USB policy. Absent: there is no policy, or the device is not judged yet; then usb.device.changed says it.',
    }),
    removable: Type.Optional(
      Type.Union([Type.Literal('removable'), Type.Literal('fixed'), Type.Literal('unknown')]),
    ),
    connectType: Type.Optional(
      Type.String({ description: "The port's connect_type: hotplug, hardwired, not used, unknown" }),
    ),
    problems: Type.Array(Type.String(), {
      maxItems: 32,
      description: 'Stable codes of what was malformed in the descriptors; malformed is data, not a failure.',
    }),
  },
  closed,
);
export type UsbDevice = Static<typeof UsbDevice>;

/** What udev knew once its rules had run: the node has its owner, the drivers are bound. */
export const UsbReadiness = Type.Object(
  {
    node: Type.Optional(Type.String({ description: '/dev/bus/usb/001/004' })),
    drivers: Type.Array(Type.String(), { description: 'Drivers of the interfaces, sorted, each once.' }),
    links: Type.Array(Type.String(), { description: "udev's symlinks to the node." }),
  },
  closed,
);
export type UsbReadiness = Static<typeof UsbReadiness>;
