// Reads everything that was written from the medium and compares it by hash; a difference is narrowed down to its first byte.
import { hash } from 'node:crypto';
import { applyPatches } from './fit-gpt.ts';
import { FlashError } from './flash-error.ts';
import type { ImageSource } from './image-source.ts';
import type { Medium } from './medium.ts';
import type { WritePlan } from './plan-writing.ts';

export interface Extent {
  readonly position: number;
  readonly lengthBytes: number;
  readonly sha256: string;
}

interface Context {
  readonly medium: Medium;
  readonly plan: WritePlan;
  readonly source: ImageSource;
  /** Aligned; as long as the longest extent. */
  readonly buffer: Buffer;
}

/** Resolves with the number of bytes compared; rejects with `flash.read-back-differs`. */
export async function readBack(
  written: readonly Extent[],
  context: Context,
  report: (doneBytes: number, totalBytes: number) => void,
): Promise<number> {
  const extents = [...written].sort((a, b) => a.position - b.position);
  const total = extents.reduce((sum, { lengthBytes }) => sum + lengthBytes, 0);
  let done = 0;
  for (const extent of extents) {
    const bytes = context.buffer.subarray(0, extent.lengthBytes);
    await context.medium.read(bytes, extent.position);
    if (hash('sha256', bytes) !== extent.sha256)
      throw differs(context.medium, await firstDifference(bytes, extent, context));
    done += extent.lengthBytes;
    report(done, total);
  }
  return done;
}

/** The hash says which chunk; the image, read once more, says which byte. */
async function firstDifference(
  found: Buffer,
  { position, sha256 }: Extent,
  { plan, source }: Context,
): Promise<number> {
  const kept = plan.steps.find((step) => step.do === 'write' && step.position === position);
  const wanted = kept?.do === 'write' ? kept.bytes : await sourceBytes(source, position, found.length);
  applyPatches(wanted, position, plan.patches);
  if (hash('sha256', wanted) !== sha256) return position;
  for (let at = 0; at < found.length; at++) if (found[at] !== wanted[at]) return position + at;
  return position;
}

async function sourceBytes(source: ImageSource, position: number, length: number): Promise<Buffer> {
  const wanted = Buffer.alloc(length);
  let at = 0;
  for await (const piece of source.bytes()) {
    if (at + piece.length > position)
      piece.copy(wanted, Math.max(0, at - position), Math.max(0, position - at));
    at += piece.length;
    if (at >= position + length) break;
  }
  return wanted;
}

function differs({ path }: Medium, offset: number): FlashError {
  return new FlashError({
    code: 'flash.read-back-differs',
    message: `compare ${path}: what was read back differs from what was written, first at byte ${offset}`,
    remedy:
      'Do not use this disk: it does not keep what is written to it. Try another one, or another socket and cable.',
  });
}
