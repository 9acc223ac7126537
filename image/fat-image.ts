// Files -> a FAT32 file system in a file, without mounting. Same input, same bytes: fixed serial, fixed times.
import { truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ImageError } from './image-error.ts';
import { runCommand } from './run-command.ts';

export interface FatImage {
  readonly file: string;
  readonly sizeBytes: number;
  readonly label: string;
  /** Eight hexadecimal digits. */
  readonly serial: string;
  readonly epochSeconds: number;
  /** Path inside -> file on this machine, in the order in which they are written. */
  readonly contents: Readonly<Record<string, string>>;
}

export async function writeFatImage(image: FatImage): Promise<void> {
  const { file, sizeBytes, label, serial, contents } = image;
  const mtools = (tool: string, args: readonly string[]) =>
    runCommand(tool, args, {
      env: { SOURCE_DATE_EPOCH: String(image.epochSeconds), TZ: 'UTC', MTOOLS_SKIP_CHECK: '1' },
      from: 'mtools',
      remedy: `make the partition larger in partitions.json if ${path.basename(file)} is full, and build again`,
    });
  await writeFile(file, '');
  await truncate(file, sizeBytes);
  await mtools('mformat', ['-i', file, '-F', '-v', label, '-N', serial, '::']);
  const folders = new Set(Object.keys(contents).flatMap(foldersAbove));
  if (folders.size > 0) await mtools('mmd', ['-i', file, ...[...folders].map((folder) => `::${folder}`)]);
  for (const [to, from] of Object.entries(contents)) await mtools('mcopy', ['-i', file, from, `::${to}`]);
}

/** `EFI/Linux/a.efi` -> `EFI`, `EFI/Linux` */
function foldersAbove(file: string): readonly string[] {
  const parts = file.split('/').slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}

export function refuseTooLarge(what: string, sizeBytes: number, roomBytes: number): void {
  if (sizeBytes <= roomBytes) return;
  throw new ImageError(
    'image.too-large',
    `place ${what}: it has ${sizeBytes} bytes, its partition ${roomBytes}; enlarge the partition in image/partitions.json, or build without --fast`,
  );
}
