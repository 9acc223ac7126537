// What helps against each fault of a port.
import type { UsbPortFault } from '../../contracts/usb-port-state.ts';

export const portRemedies: Readonly<Record<UsbPortFault, string>> = {
  'usb.port-no-answer':
    'Pull it out and plug it in again; try another cable and another port. If it fails at another computer as well, it is broken.',
  'usb.port-unreadable':
    'Pull it out and plug it in again, without hubs and extensions between. If it fails at another computer as well, it is broken.',
  'usb.port-not-configured':
    'Pull it out and plug it in again; try another port, or a hub with a power supply of its own.',
  'usb.port-too-little-power': 'Plug it into the box itself, or into a hub with a power supply of its own.',
  'usb.port-over-current':
    'Pull it out: it, its cable or the port has a short circuit, or it needs a power supply of its own.',
  'usb.port-cable': 'Try another cable, a shorter one if it is long.',
  'usb.port-unsteady': 'Push the plug in firmly; try another cable and another port.',
  'usb.port-disturbed':
    'Try another cable with a better screen, away from motors, lamps and radio transmitters.',
};
