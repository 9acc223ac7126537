// First pass over the image, before anything is written: its size, its hash, its beginning; finds what is cut off or damaged.
import { createHash } from 'node:crypto';
import { chunkBytes } from './disk.ts';
import { FlashError } from './flash-error.ts';
import type { ImageSource } from './image-source.ts';

export interface MeasuredImage {
  readonly sizeBytes: number;
  readonly sha256: string;
  /** The first chunk, with the partition table. */
  readonly head: Buffer;
}

export async function measureImage(
  source: ImageSource,
  report: (doneBytes: number, totalBytes: number | null) => void,
): Promise<MeasuredImage> {
  const hash = createHash('sha256');
  const head = Buffer.alloc(chunkBytes);
  let sizeBytes = 0;
  for await (const bytes of source.bytes()) {
    if (sizeBytes < chunkBytes) bytes.copy(head, sizeBytes);
    hash.update(bytes);
    sizeBytes += bytes.length;
    report(sizeBytes, source.sizeBytes);
  }
  if (sizeBytes === 0)
    throw new FlashError({
      code: 'flash.image-empty',
      message: `read ${source.path}: the image is empty`,
      remedy: 'Download or build the image again.',
    });
  if (source.sizeBytes !== null && sizeBytes < source.sizeBytes)
    throw new FlashError({
      code: 'flash.image-truncated',
      message: `read ${source.path}: it ended after ${sizeBytes} of ${source.sizeBytes} bytes`,
      remedy: 'Read the medium again, or copy the image again.',
    });
  return { sizeBytes, sha256: hash.digest('hex'), head: head.subarray(0, Math.min(sizeBytes, chunkBytes)) };
}
