// A port at which something is going on that is not a device yet, or does not become one: what the kernel's log says of it.
import { type Static, Type } from 'typebox';
import { UsbDevice, UsbPort } from './usb-device.ts';

const closed = { additionalProperties: false } as const;

export const UsbPortFault = Type.Union(
  [
    Type.Literal('usb.port-no-answer', {
      description: 'What is plugged in does not answer as a USB device.',
    }),
    Type.Literal('usb.port-unreadable', { description: 'Its descriptors could not be read.' }),
    Type.Literal('usb.port-not-configured', { description: 'It was read, but refuses its configuration.' }),
    Type.Literal('usb.port-too-little-power', { description: 'It asks for more power than its hub has.' }),
    Type.Literal('usb.port-over-current', { description: 'It draws more current than the port may give.' }),
    Type.Literal('usb.port-cable', { description: 'The port could not be enabled; the cable is suspected.' }),
    Type.Literal('usb.port-unsteady', { description: 'The contact came and went.' }),
    Type.Literal('usb.port-disturbed', {
      description: 'The hub switched the port off; interference is suspected.',
    }),
  ],
  { description: 'Stable code of why no working device is at the port.' },
);
export type UsbPortFault = Static<typeof UsbPortFault>;

export const UsbPortState = Type.Object(
  {
    port: UsbPort,
    state: Type.Union([
      Type.Literal('enumerating', { description: 'The kernel reads what was plugged in.' }),
      Type.Literal('failed', { description: 'It gave up; nothing tells whether it is still plugged in.' }),
    ]),
    speedMbps: UsbDevice.properties.speedMbps,
    vendorId: UsbDevice.properties.vendorId,
    productId: UsbDevice.properties.productId,
    manufacturer: UsbDevice.properties.manufacturer,
    product: UsbDevice.properties.product,
    code: Type.Optional(UsbPortFault),
    why: Type.Optional(Type.String({ description: "The kernel's own words." })),
    remedy: Type.Optional(Type.String()),
    times: Type.Optional(Type.Integer({ minimum: 1, description: 'Failures in a row at this port.' })),
    at: Type.String({ description: 'Since when.' }),
  },
  closed,
);
export type UsbPortState = Static<typeof UsbPortState>;
