// A folder -> `major:minor` of the disk it is on, as io.max wants it: the whole disk, not the partition.
import { readFile, realpath, stat } from 'node:fs/promises';
import path from 'node:path';

/** null where the folder is on no block device (tmpfs, overlay). */
export async function dataDisk(folder: string, sysfsRoot = '/sys'): Promise<string | null> {
  const { dev } = await stat(folder, { bigint: true });
  const major = ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & ~0xfffn);
  const minor = (dev & 0xffn) | ((dev >> 12n) & ~0xffn);
  if (major === 0n) return null;
  const node = await realpath(path.join(sysfsRoot, 'dev/block', `${major}:${minor}`)).catch(() => null);
  if (node === null) return null;
  const isPartition = await readFile(path.join(node, 'partition'), 'utf8').then(
    () => true,
    () => false,
  );
  const disk = isPartition ? path.dirname(node) : node;
  return (await readFile(path.join(disk, 'dev'), 'utf8')).trim();
}
