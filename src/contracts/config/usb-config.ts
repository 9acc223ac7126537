// How the bus is watched. A section of the configuration (../config.ts).
import { type Static, Type } from 'typebox';
import { closed, OptionalPath, Path } from './config-types.ts';

export const UsbConfig = Type.Object(
  {
    sysfsRoot: Path('Where sysfs is mounted.', '/sys'),
    spoolFile: Path('Written by the udev RUN helper, read at start.', '/run/autoweave-spool/usb'),
    monitorCommand: Type.Array(Type.String({ minLength: 1 }), {
      minItems: 1,
      default: ['udevadm', 'monitor', '--kernel', '--udev', '--property'],
      description: 'Prints uevents in the format of `udevadm monitor --property`.',
    }),
    kernelLog: OptionalPath(
      "The kernel's log, which tells of a device before it is read, and of what fails to become one. Left out: /dev/kmsg where the bus is /sys, none elsewhere.",
    ),
    crossCheck: Type.Boolean({
      default: true,
      description: 'Count what the `usb` package alone would have missed.',
    }),
    simulated: Type.Boolean({
      default: false,
      description: 'The devices are replayed captures; every event and page says so.',
    }),
    debounceMs: Type.Integer({
      minimum: 0,
      maximum: 10_000,
      default: 50,
      description: 'A device is reported once it has been quiet for so long; 0: at once.',
    }),
    rescanSeconds: Type.Integer({
      minimum: 5,
      maximum: 86_400,
      default: 300,
      description: 'How often sysfs is compared with what is known.',
    }),
    portEventsPerSecond: Type.Number({
      minimum: 0.1,
      default: 20,
      description: 'Sustained events of one port; more are folded into usb.suppressed.',
    }),
    portBurst: Type.Integer({
      minimum: 2,
      default: 200,
      description: 'Events of one port that may come at once before that limit holds.',
    }),
    eventsPerSecond: Type.Number({
      minimum: 1,
      default: 500,
      description: 'Sustained events of all ports together.',
    }),
    burst: Type.Integer({
      minimum: 2,
      default: 5_000,
      description: 'Events of all ports that may come at once before that limit holds.',
    }),
  },
  closed,
);
export type UsbConfig = Static<typeof UsbConfig>;
