import { open } from 'node:fs/promises';

/** The file's bytes, read once from one descriptor, or null when there are more than `maxBytes` (or it grows while it is read). */
export async function readAtMost(file: string, maxBytes: number): Promise<Buffer | null> {
  await using handle = await open(file, 'r');
  const bytes = Buffer.alloc(Math.min(maxBytes, (await handle.stat()).size) + 1);
  let have = 0;
  for (;;) {
    const { bytesRead } = await handle.read(bytes, have, bytes.length - have, null);
    if (bytesRead === 0) return bytes.subarray(0, have);
    have += bytesRead;
    if (have === bytes.length) return null;
  }
}
