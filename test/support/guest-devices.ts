// The kinds of USB device that QEMU can plug in, each on a port of its own, as QMP commands.
import type { Qmp } from './qemu-qmp.ts';

export const deviceKinds = [
  'keyboard',
  'mouse',
  'tablet',
  'storage',
  'serial',
  'hub',
  'hub-child',
  'audio',
  'network',
] as const;
export type DeviceKind = (typeof deviceKinds)[number];

interface Socket {
  readonly driver: string;
  /** On QEMU's controller. */
  readonly port: string;
  /** The same socket as the guest's kernel names it; SuperSpeed devices are on the second bus. */
  readonly kernelPort: string;
}

export const sockets: Readonly<Record<DeviceKind, Socket>> = {
  keyboard: { driver: 'usb-kbd', port: '1', kernelPort: '1-1' },
  mouse: { driver: 'usb-mouse', port: '2', kernelPort: '1-2' },
  tablet: { driver: 'usb-tablet', port: '3', kernelPort: '1-3' },
  storage: { driver: 'usb-storage', port: '4', kernelPort: '2-4' },
  serial: { driver: 'usb-serial', port: '5', kernelPort: '1-5' },
  hub: { driver: 'usb-hub', port: '6', kernelPort: '1-6' },
  'hub-child': { driver: 'usb-mouse', port: '6.2', kernelPort: '1-6.2' },
  audio: { driver: 'usb-audio', port: '7', kernelPort: '1-7' },
  network: { driver: 'usb-net', port: '8', kernelPort: '1-8' },
};

export interface GuestDevices {
  /** `at`: another socket than its own, in QEMU's numbers. */
  plug(kind: DeviceKind, at?: string): Promise<void>;
  /** A serial adapter whose other end is a unix socket on the host, made by QEMU. */
  plugSerialLine(socketPath: string): Promise<void>;
  /** A device whose answers come from the other end of a unix socket (`usb-redir`); `at` in QEMU's numbers. Returns how to unplug it. */
  plugRedirected(socketPath: string, at: string): Promise<() => Promise<void>>;
  /** Resolves when QEMU has taken the device off the bus. A hub takes its children with it. */
  unplug(kind: DeviceKind): Promise<void>;
}

/** @param storageFile image behind the storage stick */
export function guestDevices(qmp: Qmp, storageFile: string): GuestDevices {
  let count = 0;
  const plugged = new Map<DeviceKind, string>();
  return {
    async plug(kind, at) {
      count += 1;
      const id = `usb${count}`;
      const { driver, port } = sockets[kind];
      await qmp.execute('device_add', {
        driver,
        port: at ?? port,
        bus: 'xhci.0',
        id,
        ...(await backend(kind, id)),
      });
      plugged.set(kind, id);
    },
    async plugSerialLine(socketPath) {
      count += 1;
      const id = `usb${count}`;
      const { driver, port } = sockets.serial;
      const addr = { type: 'unix', data: { path: socketPath } };
      const backend = { type: 'socket', data: { addr, server: true, wait: false } };
      await qmp.execute('chardev-add', { id: `line-${id}`, backend });
      const device = { driver, port, bus: 'xhci.0', id, chardev: `line-${id}`, 'always-plugged': true };
      await qmp.execute('device_add', device);
      plugged.set('serial', id);
    },
    async plugRedirected(socketPath, at) {
      count += 1;
      const id = `usb${count}`;
      const addr = { type: 'unix', data: { path: socketPath } };
      const backend = { type: 'socket', data: { addr, server: false } };
      await qmp.execute('chardev-add', { id: `redirected-${id}`, backend });
      const device = { driver: 'usb-redir', port: at, bus: 'xhci.0', id, chardev: `redirected-${id}` };
      await qmp.execute('device_add', device);
      return async () => {
        const gone = qmp.event('DEVICE_DELETED', ({ device: deleted }) => deleted === id);
        // It takes its character device with it.
        await qmp.execute('device_del', { id });
        await gone;
      };
    },
    async unplug(kind) {
      const id = plugged.get(kind);
      if (id === undefined) throw new Error(`unplug ${kind}: it is not plugged in`);
      const gone = qmp.event('DEVICE_DELETED', ({ device }) => device === id);
      await qmp.execute('device_del', { id });
      await gone;
      plugged.delete(kind);
      if (kind === 'storage') await qmp.execute('blockdev-del', { 'node-name': `disk-${id}` });
      if (kind === 'network') await qmp.execute('netdev_del', { id: `net-${id}` });
      if (kind === 'serial') await qmp.execute('chardev-remove', { id: `line-${id}` });
    },
  };

  async function backend(kind: DeviceKind, id: string): Promise<object> {
    switch (kind) {
      case 'storage':
        await qmp.execute('blockdev-add', {
          driver: 'raw',
          'node-name': `disk-${id}`,
          file: { driver: 'file', filename: storageFile },
        });
        return { drive: `disk-${id}` };
      case 'network':
        await qmp.execute('netdev_add', { type: 'user', id: `net-${id}`, restrict: true });
        return { netdev: `net-${id}` };
      case 'serial':
        await qmp.execute('chardev-add', { id: `line-${id}`, backend: { type: 'null', data: {} } });
        return { chardev: `line-${id}`, 'always-plugged': true };
      case 'audio':
        return { audiodev: 'sound' };
      default:
        return {};
    }
  }
}
