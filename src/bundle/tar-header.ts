// Path and size -> the one header that a member of a bundle may have; and for any other header, what is wrong with it.
import { type BundleRefusal, refuse } from './bundle-refusal.ts';

export const blockBytes = 512;

/** Letters, digits, `._-`, at most eight parts: no absolute path, no `..`, no part that begins with a dot. */
const pathPattern = /^[A-Za-z0-9_][A-Za-z0-9._-]*(\/[A-Za-z0-9_][A-Za-z0-9._-]*){0,7}$/;
const maxPathBytes = 100;

export function isMemberPath(path: string): boolean {
  return path.length <= maxPathBytes && pathPattern.test(path);
}

/** A plain file of root's, mode 0644, at the epoch. */
export function tarHeader(path: string, size: number): Buffer {
  const header = Buffer.alloc(blockBytes);
  header.write(path, 0, 'latin1');
  header.write('0000644\0' + '0000000\0' + '0000000\0', 100, 'latin1');
  header.write(`${size.toString(8).padStart(11, '0')}\0${'0'.repeat(11)}\0`, 124, 'latin1');
  header.write('        0', 148, 'latin1');
  header.write('ustar\x0000', 257, 'latin1');
  header.write('0000000\0' + '0000000\0', 329, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return header;
}

/** What a header says of its member, or why it is none: it must be the header that we would have written. */
export function parseTarHeader(
  header: Buffer,
): { readonly ok: true; readonly path: string; readonly size: number } | BundleRefusal {
  const path = textAt(header, 0, maxPathBytes);
  const shown = JSON.stringify(path).slice(1, -1);
  const sizeText = header.toString('latin1', 124, 136);
  const kind = refusalOfKind(String.fromCharCode(header[156] ?? 0), shown);
  if (kind !== null) return kind;
  if (!isMemberPath(path))
    return refuse(
      'bundle.tar-path',
      shown,
      'is not a path a member may have (relative, plain letters, no dot in front)',
    );
  if (!/^[0-7]{11}\0$/.test(sizeText)) return refuse('bundle.tar-malformed', shown, 'has no readable size');
  const size = Number.parseInt(sizeText, 8);
  if (!header.equals(tarHeader(path, size)))
    return refuse(
      'bundle.tar-metadata',
      shown,
      'has owner, mode, time, link or checksum other than a member may have',
    );
  return { ok: true, path, size };
}

function refusalOfKind(flag: string, shown: string): BundleRefusal | null {
  if (flag === '0') return null;
  if (flag === '1' || flag === '2')
    return refuse('bundle.tar-link', shown, 'is a link; members are plain files');
  if (flag === '3' || flag === '4' || flag === '6')
    return refuse('bundle.tar-device', shown, 'is a device or pipe; members are plain files');
  if (/[A-Zgx]/.test(flag))
    return refuse(
      'bundle.tar-extension',
      shown,
      `is a tar extension (${flag}: long names, sparse files, attributes)`,
    );
  return refuse('bundle.tar-type', shown, `is of kind ${JSON.stringify(flag)}; members are plain files`);
}

function textAt(header: Buffer, from: number, length: number): string {
  const field = header.subarray(from, from + length);
  const end = field.indexOf(0);
  return field.toString('latin1', 0, end === -1 ? length : end);
}
