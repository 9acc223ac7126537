// The folders of /sys/class/leds that the appliance may speak with.
import { readdir } from 'node:fs/promises';
import path from 'node:path';

/**
 * The kernel names LEDs `[device:]colour:function`. Without names from the configuration only those are taken that were made to
 * say how a machine is; a keyboard's caps lock and a network plug's activity stay what they are.
 */
const made = /^(?:[^:]*:){1,2}(?:status|indicator)(?:-\d+)?$|^ACT$/;

export async function findLeds(root: string, names: readonly string[]): Promise<readonly string[]> {
  let present: readonly string[];
  try {
    present = await readdir(root);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw cause;
  }
  const wanted =
    names.length > 0
      ? present.filter((name) => names.includes(name))
      : present.filter((name) => made.test(name));
  return wanted.sort().map((name) => path.join(root, name));
}
