// The string attributes of a device folder -> bytes. The kernel holds the device's lock while drivers probe it, and whoever
// reads a string waits for that: 0.1 s for a keyboard, up to 5 s for a device that does not answer. So these reads run on
// the thread pool, and on two of its threads at most: a hostile device must not stop the main thread or all file access.
import { closeSync, open, read } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { errnoOf } from './errno-of.ts';

export interface DeviceStrings {
  readonly manufacturer: Buffer | null;
  readonly product: Buffer | null;
  readonly serial: Buffer | null;
}

export const noStrings: DeviceStrings = { manufacturer: null, product: null, serial: null };

export type StringName = keyof DeviceStrings;

/** Resolves with what is there; 'gone' when the device left meanwhile. */
export type ReadStrings = (folder: string, names: readonly StringName[]) => Promise<DeviceStrings | 'gone'>;

const AT_ONCE = 2;
const LINE_FEED = 0x0a;
const MAX_BYTES = 4_096;
const openFile = promisify(open);
const readFrom = promisify(read);

export function createStringReader(): ReadStrings {
  let running = 0;
  const waiting: (() => void)[] = [];
  const enter = async () => {
    if (running >= AT_ONCE) await new Promise<void>((resolve) => waiting.push(resolve));
    else running++;
  };
  const leave = () => {
    const next = waiting.shift();
    if (next === undefined) running--;
    else next();
  };
  return async (folder, names) => {
    if (names.length === 0) return noStrings;
    await enter();
    try {
      const strings: Record<StringName, Buffer | null> = { ...noStrings };
      for (const name of names) {
        const bytes = await readString(path.join(folder, name));
        if (bytes === 'gone') return 'gone';
        strings[name] = bytes;
      }
      return strings;
    } finally {
      leave();
    }
  };
}

/** null: the device claims a string that the kernel could not fetch, or the string is empty. */
async function readString(file: string): Promise<Buffer | null | 'gone'> {
  try {
    const bytes = await readOnce(file);
    const text = bytes.at(-1) === LINE_FEED ? bytes.subarray(0, -1) : bytes;
    return text.length === 0 ? null : text;
  } catch (cause) {
    return errnoOf(cause) === 'ENOENT' ? null : 'gone';
  }
}

/** sysfs gives a text whole, 4,096 bytes at most: one read instead of readFile's four steps on the thread pool. */
async function readOnce(file: string): Promise<Buffer> {
  const descriptor = await openFile(file, 'r');
  try {
    const { buffer, bytesRead } = await readFrom(descriptor, Buffer.alloc(MAX_BYTES), 0, MAX_BYTES, null);
    return buffer.subarray(0, bytesRead);
  } finally {
    closeSync(descriptor);
  }
}
