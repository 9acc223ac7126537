// Members in order <-> a tar that is exactly what we write: headers as in tar-header.ts, zeros as padding, two empty blocks at the end.
import { bundleLimits } from './bundle-limits.ts';
import { type BundleRefusal, refuse } from './bundle-refusal.ts';
import { blockBytes, parseTarHeader, tarHeader } from './tar-header.ts';

export interface TarMember {
  readonly path: string;
  readonly bytes: Uint8Array;
}

const end = Buffer.alloc(2 * blockBytes);

export function toTar(members: readonly TarMember[]): Buffer {
  const parts = members.flatMap(({ path, bytes }) => [
    tarHeader(path, bytes.length),
    bytes,
    Buffer.alloc(paddingOf(bytes.length)),
  ]);
  return Buffer.concat([...parts, end]);
}

export function readTar(
  tar: Buffer,
): { readonly ok: true; readonly members: readonly TarMember[] } | BundleRefusal {
  const members: TarMember[] = [];
  const paths = createPathCheck();
  for (let at = 0; ; ) {
    const header = tar.subarray(at, at + blockBytes);
    if (header.length < blockBytes)
      return refuse('bundle.tar-malformed', '', `ends at ${at} without an end mark`);
    if (isZero(header)) {
      if (tar.length - at === end.length && isZero(tar.subarray(at))) return { ok: true, members };
      return refuse('bundle.trailing-data', '', `has an end mark at ${at}, which is not its end`);
    }
    const parsed = parseTarHeader(header);
    if (!parsed.ok) return parsed;
    const { path, size } = parsed;
    if (size > bundleLimits.memberBytes)
      return refuse(
        'bundle.member-size',
        path,
        `has ${size} bytes; at most ${bundleLimits.memberBytes} may be`,
      );
    if (members.length > bundleLimits.members)
      return refuse(
        'bundle.too-many-members',
        path,
        `is one more than the ${bundleLimits.members} members there may be`,
      );
    const conflict = paths(path);
    if (conflict !== null) return conflict;
    const from = at + blockBytes;
    at = from + size + paddingOf(size);
    if (at > tar.length) return refuse('bundle.tar-malformed', path, 'is cut off');
    if (!isZero(tar.subarray(from + size, at)))
      return refuse('bundle.tar-malformed', path, 'has data in its padding');
    members.push({ path, bytes: tar.subarray(from, from + size) });
  }
}

/** Each path once, also where upper and lower case are the same, and no file that is a folder as well. */
export function createPathCheck(): (path: string) => BundleRefusal | null {
  const spellings = new Map<string, { readonly spelling: string; readonly isFile: boolean }>();
  return (path) => {
    const parts = path.split('/');
    for (let count = 1; count <= parts.length; count++) {
      const spelling = parts.slice(0, count).join('/');
      const isFile = count === parts.length;
      const known = spellings.get(spelling.toLowerCase());
      if (known === undefined) spellings.set(spelling.toLowerCase(), { spelling, isFile });
      else if (known.spelling !== spelling)
        return refuse(
          'bundle.case-collision',
          path,
          `differs from ${known.spelling} in upper and lower case alone`,
        );
      else if (known.isFile && isFile) return refuse('bundle.duplicate-member', path, 'is there twice');
      else if (known.isFile || isFile)
        return refuse('bundle.path-conflict', spelling, 'is a file and a folder');
    }
    return null;
  };
}

function paddingOf(size: number): number {
  return (blockBytes - (size % blockBytes)) % blockBytes;
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}
