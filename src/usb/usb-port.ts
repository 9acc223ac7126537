// The kernel's names of USB devices: `1-1.4` is a device at a port, `usb1` a root hub, `1-1.4:1.0` an interface.

const port = /^[0-9]{1,3}-[0-9]{1,3}(\.[0-9]{1,3}){0,6}$/;
const rootHub = /^usb[0-9]{1,3}$/;

export function isDevicePort(name: string): boolean {
  return port.test(name);
}

export function isRootHub(name: string): boolean {
  return rootHub.test(name);
}

/** `/devices/pci0000:00/0000:00:14.0/usb1/1-1/1-1.4` -> `1-1.4` */
export function portOf(devpath: string): string {
  return devpath.slice(devpath.lastIndexOf('/') + 1);
}
