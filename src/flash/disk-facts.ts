// What sysfs says about one whole disk: bus, model, serial, sector, flags.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Bus, Disk } from './disk.ts';
import { printable } from './printable.ts';
import { attribute, type BlockNode } from './read-block-nodes.ts';

/** loop, ram, zram, floppy and optical drives, dm and md, the boot and replay areas of eMMC, paths of multipath NVMe. */
const neverADisk = /^(loop|ram|zram|fd|sr|scd|dm-|md|nbd|mtdblock)\d|^mmcblk\d+(boot|rpmb|gp)|^nvme\d+c\d/;

export const isDiskName = (name: string): boolean => !neverADisk.test(name);

export async function readDiskFacts(node: BlockNode): Promise<Omit<Disk, 'path' | 'uses'>> {
  const { name, folder, number, sizeBytes } = node;
  const of = (file: string) => attribute(folder, file);
  const usb = await usbFolder(folder);
  const vendor = usb === null ? await of('device/vendor') : await attribute(usb, 'manufacturer');
  const product =
    (usb === null ? null : await attribute(usb, 'product')) ??
    (await of('device/model')) ??
    (await of('device/name'));
  // Virtio has a number there, ATA disks the word ATA: neither says who made the disk.
  const maker = vendor === null || /^(0x|ATA\b)/.test(vendor) ? '' : vendor;
  const serial =
    (usb === null ? null : await attribute(usb, 'serial')) ??
    (await of('device/serial')) ??
    (await of('serial')) ??
    (await pageSerial(folder));
  return {
    name,
    number,
    sizeBytes,
    blockBytes: Number((await of('queue/logical_block_size')) ?? 512),
    model: printable(`${maker} ${product ?? ''}`.trim()),
    serial: serial === null ? null : printable(serial),
    bus: busOf(folder),
    removable: (await of('removable')) === '1',
    readOnly: (await of('ro')) === '1',
    sequence: await of('diskseq'),
  };
}

function busOf(folder: string): Bus {
  if (/\/usb\d+\//.test(folder)) return 'usb';
  if (/\/nvme\d/.test(folder)) return 'nvme';
  if (/\/mmc_host\//.test(folder)) return 'mmc';
  if (/\/ata\d+\//.test(folder)) return 'sata';
  if (/\/virtio\d+\//.test(folder)) return 'virtio';
  if (/\/host\d+\//.test(folder)) return 'scsi';
  return 'other';
}

/** The folder of the USB device that the disk is part of: the nearest one above with a vendor id. */
async function usbFolder(folder: string): Promise<string | null> {
  if (busOf(folder) !== 'usb') return null;
  for (let above = path.dirname(folder); path.basename(above) !== 'devices'; above = path.dirname(above)) {
    if ((await attribute(above, 'idVendor')) !== null) return above;
    if (above === path.dirname(above)) break;
  }
  return null;
}

/** SCSI vital product data, page 80h: four bytes of head (the last is the length), then the serial number. */
async function pageSerial(folder: string): Promise<string | null> {
  try {
    const page = await readFile(path.join(folder, 'device/vpd_pg80'));
    return page.length < 4 ? null : printable(page.subarray(4, 4 + page.readUInt8(3)));
  } catch {
    return null;
  }
}
