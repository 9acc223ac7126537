// Mounted file systems -> the USB ports that the system runs from. Pure: the lines of /proc/self/mountinfo, and where each block
// device lies in sysfs, come in. The kernel's paths are the truth here; what a device says of itself plays no part.

/** A file system on the boot medium shows as one of these; sticks that people plug in are mounted elsewhere. */
const systemMounts = new Set(['/', '/usr', '/var', '/boot', '/efi', '/boot/efi', '/var/lib/autoweave']);

/** `8:1` for each file system the system needs, also of a read-only image below an overlay where that is still mounted somewhere. */
export function systemBlockDevices(mountinfo: string): readonly string[] {
  const numbers = mountsOf(mountinfo).flatMap(({ number, mount, type }) => {
    const isSystem = systemMounts.has(mount) || isImage(type);
    return isSystem && /^\d+:\d+$/.test(number) && !number.startsWith('0:') ? [number] : [];
  });
  return [...new Set(numbers)];
}

/**
 * Whether the root is an overlay and no mount shows the disk below it: after switch_root the appliance's own image is mounted nowhere
 * that a process can see. What cannot be read hides everything.
 */
export function hidesItsDisk(mountinfo: string): boolean {
  const mounts = mountsOf(mountinfo);
  const root = mounts.findLast(({ mount }) => mount === '/');
  if (root !== undefined && root.type !== 'overlay') return false;
  // An image in a file (major 7: loop) is on a disk that its own number does not tell.
  return !mounts.some(({ number, type }) => isImage(type) && !/^[07]:/.test(number));
}

interface Mount {
  readonly number: string;
  readonly mount: string;
  readonly type: string;
}

function mountsOf(mountinfo: string): readonly Mount[] {
  return mountinfo.split('\n').map((line) => {
    const fields = line.split(' ');
    const [, , number = '', , mount = ''] = fields;
    return { number, mount, type: fields[fields.indexOf('-') + 1] ?? '' };
  });
}

function isImage(type: string): boolean {
  return type === 'squashfs' || type === 'erofs';
}

/** `/devices/…/usb2/2-1/2-1.4/2-1.4:1.0/host0/…/sda` -> `2-1.4`; null when it is not on a USB bus. */
export function portOfBlockDevice(devpath: string): string | null {
  return devpath.split('/').findLast((part) => /^\d{1,3}-\d{1,3}(\.\d{1,3}){0,6}$/.test(part)) ?? null;
}
