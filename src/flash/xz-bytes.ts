// An xz file -> its content, through the program xz (or busybox's), which Node has no part for.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { FlashError } from './flash-error.ts';

export async function* xzBytes(path: string): AsyncIterable<Buffer> {
  const child = spawn('xz', ['-d', '-c', path], { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(child, 'close').then(([code]) => code as number | null);
  // A missing program is heard of below; until then nobody waits for this.
  ended.catch(() => undefined);
  const said = text(child.stderr);
  try {
    for await (const bytes of child.stdout) yield bytes as Buffer;
    const code = await ended;
    if (code !== 0) throw unpacked(path, (await said).trim());
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause;
    throw new FlashError(
      {
        code: 'flash.image-format',
        message: `read ${path}: it is xz-compressed, and the program xz is not installed`,
        remedy: `Install xz (xz-utils), or run elsewhere: xz -dk ${path}`,
      },
      cause,
    );
  } finally {
    // Whoever reads may stop before the end.
    child.kill('SIGKILL');
  }
}

function unpacked(path: string, why: string): FlashError {
  if (/unexpected end|unexpected EOF|truncated/i.test(why))
    return new FlashError({
      code: 'flash.image-truncated',
      message: `read ${path}: the compressed data ends in the middle`,
      remedy: 'Download or copy the image again: it is incomplete.',
    });
  return new FlashError({
    code: 'flash.image-damaged',
    message: `read ${path}: the compressed data is damaged (${why})`,
    remedy: 'Download or copy the image again.',
  });
}
