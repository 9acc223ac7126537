// A stream of any pieces -> chunks of 4 MiB in two aligned buffers that take turns: the next is filled while one is written.
import { chunkBytes } from './disk.ts';

export interface Chunk {
  readonly index: number;
  readonly position: number;
  /** Full, but for the last. Valid until the next chunk but one is asked for. */
  readonly bytes: Buffer;
}

/** The last chunk is filled with zeros up to a whole block. */
export async function* alignedChunks(
  pieces: AsyncIterable<Buffer>,
  { buffers, blockBytes }: { readonly buffers: readonly Buffer[]; readonly blockBytes: number },
): AsyncGenerator<Chunk, void> {
  let index = 0;
  let filled = 0;
  const current = (): Buffer => {
    const buffer = buffers[index % buffers.length];
    if (buffer === undefined || buffer.length !== chunkBytes) throw new Error('alignedChunks: wrong buffers');
    return buffer;
  };
  for await (const piece of pieces) {
    for (let taken = 0; taken < piece.length; ) {
      const copied = piece.copy(current(), filled, taken);
      taken += copied;
      filled += copied;
      if (filled < chunkBytes) continue;
      yield { index, position: index * chunkBytes, bytes: current() };
      index++;
      filled = 0;
    }
  }
  if (filled === 0) return;
  const whole = Math.ceil(filled / blockBytes) * blockBytes;
  current().fill(0, filled, whole);
  yield { index, position: index * chunkBytes, bytes: current().subarray(0, whole) };
}
