// sysfs -> every USB device of this computer as rules see it, root hubs included. Only read.
import { readdir, readFile, realpath } from 'node:fs/promises';
import path from 'node:path';
import { bootNodes } from '../../flash/boot-nodes.ts';
import { systemRoots } from '../../flash/disk.ts';
import { readBlockNodes } from '../../flash/read-block-nodes.ts';
import { errorText } from '../../lib/error-text.ts';
import { hidesItsDisk, portOfBlockDevice, systemBlockDevices } from '../../policy/boot-ports.ts';
import { textHash } from '../../policy/device-hash.ts';
import { type DeviceVerdict, type RawAttributes, toPolicyDevice } from '../../policy/to-policy-device.ts';

export interface HostRoots {
  readonly sysfsRoot: string;
  readonly procRoot: string;
  /** Where the appliance's initramfs wrote the name of the disk it started from; left out: nowhere. */
  readonly startedFrom?: string | undefined;
}

export const hostRoots: HostRoots = {
  sysfsRoot: '/sys',
  procRoot: '/proc',
  startedFrom: systemRoots.startedFrom,
};

export interface HostDevice {
  readonly port: string;
  readonly isAuthorized: boolean;
  readonly verdict: DeviceVerdict;
}

export type HostVerdict =
  | { readonly ok: true; readonly devices: readonly HostDevice[] }
  | { readonly ok: false; readonly reason: string };

const deviceName = /^(usb\d{1,3}|\d{1,3}-\d{1,3}(\.\d{1,3}){0,6})$/;

export async function readUsbHost({ sysfsRoot }: HostRoots): Promise<HostVerdict> {
  const root = path.join(sysfsRoot, 'bus/usb/devices');
  let names: string[];
  try {
    names = (await readdir(root)).filter((name) => deviceName.test(name));
  } catch (cause) {
    return {
      ok: false,
      reason: `read ${root}: ${errorText(cause)}; is there a USB controller, and is sysfs mounted?`,
    };
  }
  // Parents before their children: a child's parent hash is its parent's hash.
  names.sort((a, b) => depthOf(a) - depthOf(b) || (a < b ? -1 : 1));
  const hashes = new Map<string, string>();
  const devices: HostDevice[] = [];
  const top = await realpath(sysfsRoot);
  for (const port of names) {
    const folder = await realpath(path.join(root, port)).catch(() => null);
    if (folder === null) continue;
    const parent = path.dirname(folder);
    const parentHash = hashes.get(path.basename(parent)) ?? textHash(parent.slice(top.length));
    const verdict = toPolicyDevice(await readAttributes(folder, port), parentHash);
    if (verdict.ok) hashes.set(port, verdict.device.hash);
    const authorized = await bytesOf(folder, 'authorized');
    devices.push({ port, isAuthorized: authorized?.toString('latin1').trim() === '1', verdict });
  }
  return { ok: true, devices };
}

export interface BootMedia {
  /** Ports of the media that this system runs from. */
  readonly ports: ReadonlySet<string>;
  /** false: an overlay hides the disk, and nothing else names it. */
  readonly isTold: boolean;
}

export async function readBootMedia({ sysfsRoot, procRoot, startedFrom }: HostRoots): Promise<BootMedia> {
  const textOf = (file: string) => readFile(file, 'utf8').catch(() => '');
  const mounts = await textOf(path.join(procRoot, 'self/mountinfo'));
  const ports = new Set<string>();
  const visit = async (blockDevice: string): Promise<void> => {
    const folder = await realpath(blockDevice).catch(() => null);
    if (folder === null) return;
    const port = portOfBlockDevice(folder);
    if (port !== null) ports.add(port);
    // Device mapper and RAID lie on other block devices.
    const slaves = await readdir(path.join(folder, 'slaves')).catch(() => []);
    for (const slave of slaves) await visit(path.join(folder, 'slaves', slave));
  };
  for (const number of systemBlockDevices(mounts)) await visit(path.join(sysfsRoot, 'dev/block', number));
  // What an overlay hides: the initramfs and the kernel's command line know it.
  const nodes = await readBlockNodes(sysfsRoot);
  const started = startedFrom === undefined ? '' : (await textOf(startedFrom)).trim();
  const named = [started, ...bootNodes(await textOf(path.join(procRoot, 'cmdline')), nodes, new Map())];
  const found = named.flatMap((name) => nodes.get(name) ?? []);
  for (const { folder } of found) await visit(folder);
  return { ports, isTold: found.length > 0 || !hidesItsDisk(mounts) };
}

function depthOf(port: string): number {
  return port.startsWith('usb') ? 0 : port.split('.').length;
}

async function readAttributes(folder: string, port: string): Promise<RawAttributes> {
  const [idVendor, idProduct, product, serial, connectType, descriptors] = await Promise.all(
    ['idVendor', 'idProduct', 'product', 'serial', 'port/connect_type', 'descriptors'].map((name) =>
      bytesOf(folder, name),
    ),
  );
  return {
    port,
    idVendor: idVendor ?? null,
    idProduct: idProduct ?? null,
    product: product ?? null,
    serial: serial ?? null,
    connectType: connectType ?? null,
    descriptors: descriptors ?? null,
  };
}

/** null for an attribute that does not exist, or left with its device. */
function bytesOf(folder: string, name: string): Promise<Buffer | null> {
  return readFile(path.join(folder, name)).catch(() => null);
}
