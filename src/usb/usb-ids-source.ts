// The distribution's usb.ids. build.ts puts a module with a compressed copy in the place of this one.
import { readFileSync } from 'node:fs';

/** @throws the last file's error when there is none. */
export function readUsbIds(): Uint8Array {
  try {
    return readFileSync('/usr/share/misc/usb.ids');
  } catch {
    return readFileSync('/usr/share/hwdata/usb.ids');
  }
}
