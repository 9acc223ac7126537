// Files -> a POSIX tar archive, whole or cut (without the blocks that end it), as Alpine's packages need both. Owner root, time 0.

export type TarEntry = { readonly path: string; readonly extended?: Readonly<Record<string, string>> } & (
  | { readonly kind: 'file'; readonly mode: number; readonly bytes: Buffer }
  | { readonly kind: 'folder'; readonly mode: number }
  | { readonly kind: 'link'; readonly target: string }
);

const block = 512;
const flags = { file: '0', link: '2', folder: '5', extended: 'x' } as const;

/** Without its end, archives can be joined by joining their bytes. */
export function toCutTar(entries: readonly TarEntry[]): Buffer {
  return Buffer.concat(entries.flatMap(member));
}

export function toTar(entries: readonly TarEntry[]): Buffer {
  return Buffer.concat([toCutTar(entries), Buffer.alloc(2 * block)]);
}

function member(entry: TarEntry): readonly Buffer[] {
  const extended = { ...entry.extended };
  // What does not fit into the header stands in a record before it.
  if (Buffer.byteLength(entry.path) > 100) extended.path = entry.path;
  if (entry.kind === 'link' && Buffer.byteLength(entry.target) > 100) extended.linkpath = entry.target;
  const records = Buffer.concat(Object.entries(extended).map(([key, value]) => extendedRecord(key, value)));
  const before =
    records.length === 0
      ? []
      : [
          header('extended', { name: 'extended', mode: 0o644, size: records.length, target: '' }),
          padded(records),
        ];
  const bytes = entry.kind === 'file' ? entry.bytes : Buffer.alloc(0);
  return [
    ...before,
    header(entry.kind, {
      name: entry.path.slice(0, 100),
      mode: entry.kind === 'link' ? 0o777 : entry.mode,
      size: bytes.length,
      target: entry.kind === 'link' ? entry.target.slice(0, 100) : '',
    }),
    padded(bytes),
  ];
}

interface Header {
  readonly name: string;
  readonly mode: number;
  readonly size: number;
  readonly target: string;
}

function header(kind: keyof typeof flags, { name, mode, size, target }: Header): Buffer {
  const bytes = Buffer.alloc(block);
  const octal = (value: number, at: number, length: number) =>
    bytes.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at, 'latin1');
  bytes.write(name, 0, 100);
  octal(mode, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(size, 124, 12);
  octal(0, 136, 12);
  // The sum is made with blanks in its own place.
  bytes.write('        ', 148, 'latin1');
  bytes.write(flags[kind], 156, 'latin1');
  bytes.write(target, 157, 100);
  bytes.write('ustar\u000000', 257, 'latin1');
  bytes.write('root', 265, 'latin1');
  bytes.write('root', 297, 'latin1');
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return bytes;
}

/** `LENGTH key=value\n`, where LENGTH counts itself. */
function extendedRecord(key: string, value: string): Buffer {
  const rest = ` ${key}=${value}\n`;
  let length = Buffer.byteLength(rest) + 1;
  while (Buffer.byteLength(`${length}${rest}`) !== length) length += 1;
  return Buffer.from(`${length}${rest}`);
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((block - (bytes.length % block)) % block)]);
}
