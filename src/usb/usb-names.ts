// Bytes of usb.ids -> names. The bytes are kept as they are, with one offset per vendor and class: 30 KB instead of the 3 MB
// that 20,000 names as strings take. They are read at the first look-up.
import type { ClassTriple } from './parse-descriptors.ts';

export interface UsbNames {
  vendor(vendorId: number): string | undefined;
  product(vendorId: number, productId: number): string | undefined;
  /** The most exact level known: protocol, subclass or class. */
  classOf(triple: ClassTriple): string | undefined;
}

interface Index {
  readonly bytes: Buffer;
  /** Offset of the line after the vendor's or class's own. */
  readonly vendors: ReadonlyMap<number, number>;
  readonly classes: ReadonlyMap<number, number>;
}

const LINE_FEED = 0x0a;
const TAB = 0x09;

/** `onMissing` is told once why there are no names. */
export function createUsbNames(read: () => Uint8Array, onMissing: (cause: unknown) => void): UsbNames {
  let index: Index | undefined;
  const loaded = (): Index => {
    if (index !== undefined) return index;
    try {
      index = indexOf(read());
    } catch (cause) {
      onMissing(cause);
      index = indexOf(new Uint8Array());
    }
    return index;
  };
  return {
    vendor(vendorId) {
      const { bytes, vendors } = loaded();
      const at = vendors.get(vendorId);
      return at === undefined ? undefined : nameBefore(bytes, at, 6);
    },
    product(vendorId, productId) {
      const { bytes, vendors } = loaded();
      return findChild(bytes, vendors.get(vendorId), 1, hex(productId, 4))?.name;
    },
    classOf({ class: code, subclass, protocol }) {
      const { bytes, classes } = loaded();
      const at = classes.get(code);
      if (at === undefined) return undefined;
      const sub = findChild(bytes, at, 1, hex(subclass, 2));
      const exact = findChild(bytes, sub?.next, 2, hex(protocol, 2));
      return exact?.name ?? sub?.name ?? nameBefore(bytes, at, 6);
    },
  };
}

function indexOf(read: Uint8Array): Index {
  const bytes = Buffer.from(read.buffer, read.byteOffset, read.length);
  const vendors = new Map<number, number>();
  const classes = new Map<number, number>();
  let isInOther = false;
  for (let at = 0; at < bytes.length; ) {
    const next = endOfLine(bytes, at) + 1;
    const first = bytes[at];
    if (first !== TAB && first !== 0x23 && first !== LINE_FEED) {
      const line = bytes.toString('latin1', at, Math.min(at + 6, next));
      // Vendors come first; after them sections begin with a letter: C 03, HID 21, L 0409 ...
      if (/^[0-9a-f]{4} {2}$/.test(line) && !isInOther) vendors.set(Number.parseInt(line, 16), next);
      else if (/^C [0-9a-f]{2} /.test(line)) classes.set(Number.parseInt(line.slice(2, 4), 16), next);
      else isInOther = true;
    }
    at = next;
  }
  return { bytes, vendors, classes };
}

/** The line `<depth tabs><code>  <name>` below the entry that ends at `from`. */
function findChild(
  bytes: Buffer,
  from: number | undefined,
  depth: number,
  code: string,
): { readonly name: string; readonly next: number } | undefined {
  if (from === undefined) return undefined;
  for (let at = from; at < bytes.length; ) {
    const next = endOfLine(bytes, at) + 1;
    const tabs = bytes[at] !== TAB ? 0 : bytes[at + 1] !== TAB ? 1 : 2;
    if (tabs < depth && bytes[at] !== 0x23) return undefined;
    const isMatch = tabs === depth && bytes.toString('latin1', at + depth, at + depth + code.length) === code;
    if (isMatch) return { name: nameBefore(bytes, next, depth + code.length + 2), next };
    at = next;
  }
  return undefined;
}

/** The name in the line that ends before `next`, `skip` bytes after that line's start. */
function nameBefore(bytes: Buffer, next: number, skip: number): string {
  const start = bytes.lastIndexOf(LINE_FEED, next - 2) + 1;
  return bytes.toString('utf8', start + skip, next - 1).trim();
}

function endOfLine(bytes: Buffer, from: number): number {
  const end = bytes.indexOf(LINE_FEED, from);
  return end === -1 ? bytes.length : end;
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}
