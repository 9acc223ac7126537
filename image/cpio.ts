// Files -> a cpio archive in the `newc` format, the one the kernel unpacks as initramfs. Same input, same bytes: owner 0, time 0.

export type CpioEntry =
  | { readonly path: string; readonly kind: 'folder' }
  | { readonly path: string; readonly kind: 'file'; readonly mode: number; readonly bytes: Buffer }
  | { readonly path: string; readonly kind: 'link'; readonly target: string }
  | { readonly path: string; readonly kind: 'character'; readonly major: number; readonly minor: number };

const type = { folder: 0o040000, file: 0o100000, link: 0o120000, character: 0o020000 } as const;

export function toCpio(entries: readonly CpioEntry[]): Buffer {
  const parts = entries.flatMap((entry, index) => member(entry, index + 1));
  return Buffer.concat([...parts, ...record('TRAILER!!!', { inode: 0, mode: 0, bytes: Buffer.alloc(0) })]);
}

function member(entry: CpioEntry, inode: number): readonly Buffer[] {
  const none = Buffer.alloc(0);
  switch (entry.kind) {
    case 'folder':
      return record(entry.path, { inode, mode: type.folder | 0o755, bytes: none });
    case 'file':
      return record(entry.path, { inode, mode: type.file | entry.mode, bytes: entry.bytes });
    case 'link':
      return record(entry.path, { inode, mode: type.link | 0o777, bytes: Buffer.from(entry.target) });
    case 'character':
      return record(entry.path, {
        inode,
        mode: type.character | 0o600,
        bytes: none,
        device: [entry.major, entry.minor],
      });
  }
}

interface Record {
  readonly inode: number;
  readonly mode: number;
  readonly bytes: Buffer;
  readonly device?: readonly [number, number];
}

function record(name: string, { inode, mode, bytes, device = [0, 0] }: Record): readonly Buffer[] {
  const nameBytes = Buffer.from(`${name}\0`);
  // inode, mode, uid, gid, nlink, mtime, size, device of the file (2), device it stands for (2), name length, checksum
  const fields = [inode, mode, 0, 0, 1, 0, bytes.length, 0, 0, ...device, nameBytes.length, 0];
  const head = `070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`;
  return [padded(Buffer.concat([Buffer.from(head), nameBytes])), padded(bytes)];
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);
}
