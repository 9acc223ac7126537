// Mounted file systems -> the USB ports that the system runs from. Pure: the lines of /proc/self/mountinfo, and where each block
// device lies in sysfs, come in. The kernel's paths are the truth here; what a device says of itself plays no part.

/** A file system on the boot medium shows as one of these; sticks that people plug in are mounted elsewhere. */
const systemMounts = new Set(['/', '/usr', '/var', '/boot', '/efi', '/boot/efi', '/var/lib/autoweave']);

/** `8:1` for each file system the system needs. A read-only image below an overlay is mounted somewhere as squashfs or erofs. */
export function systemBlockDevices(mountinfo: string): readonly string[] {
  const numbers = mountinfo.split('\n').flatMap((line) => {
    const fields = line.split(' ');
    const type = fields[fields.indexOf('-') + 1] ?? '';
    const [, , number = '', , mount = ''] = fields;
    const isSystem = systemMounts.has(mount) || type === 'squashfs' || type === 'erofs';
    return isSystem && /^\d+:\d+$/.test(number) && !number.startsWith('0:') ? [number] : [];
  });
  return [...new Set(numbers)];
}

/** `/devices/…/usb2/2-1/2-1.4/2-1.4:1.0/host0/…/sda` -> `2-1.4`; null when it is not on a USB bus. */
export function portOfBlockDevice(devpath: string): string | null {
  return devpath.split('/').findLast((part) => /^\d{1,3}-\d{1,3}(\.\d{1,3}){0,6}$/.test(part)) ?? null;
}
