// Copies files of an Alpine mirror (http://, https://, file://) into a folder of the same layout, so that the resolver needs no
// network: over http apko would also trust keys that the mirror itself hands out.
import { createWriteStream } from 'node:fs';
import { copyFile, mkdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { ImageError } from '../image-error.ts';

export interface AlpineMirror {
  readonly folder: string;
  /** Copies `v3.23/main/x86_64/APKINDEX.tar.gz` and the like; returns where it lies now. */
  copy(file: string): Promise<string>;
}

/** For one file on a slow line. */
const limitMs = 900_000;
/** A host that does not answer at all. */
const answerLimitMs = 30_000;

export function alpineMirror(url: string, folder: string): AlpineMirror {
  const base = URL.canParse(url) ? new URL(url.endsWith('/') ? url : `${url}/`) : undefined;
  if (base === undefined || !['http:', 'https:', 'file:'].includes(base.protocol))
    throw new ImageError(
      'image.packages-unreachable',
      `reach the mirror ${url}: it is no address; set --mirror to one that starts with https://, http:// or file:///`,
    );
  return {
    folder,
    async copy(file) {
      const to = path.join(folder, file);
      await mkdir(path.dirname(to), { recursive: true });
      const part = `${to}.part`;
      try {
        const from = new URL(file.split('/').map(encodeURIComponent).join('/'), base);
        if (base.protocol === 'file:') await copyFile(fileURLToPath(from), part);
        else await download(from, part);
        await rename(part, to);
      } catch (cause) {
        await rm(part, { force: true });
        throw toImageError(cause, url, file);
      }
      return to;
    },
  };
}

async function download(from: URL, to: string): Promise<void> {
  const started = new AbortController();
  const timer = setTimeout(
    () => started.abort(new Error(`no answer within ${answerLimitMs / 1000} s`)),
    answerLimitMs,
  );
  const signal = AbortSignal.any([started.signal, AbortSignal.timeout(limitMs)]);
  try {
    const response = await fetch(from, { signal });
    clearTimeout(timer);
    if (response.status === 404) throw Object.assign(new Error('HTTP status 404'), { code: 'ENOENT' });
    if (!response.ok || response.body === null) throw new Error(`HTTP status ${response.status}`);
    await pipeline(Readable.fromWeb(response.body), createWriteStream(to), { signal });
  } finally {
    clearTimeout(timer);
  }
}

function toImageError(cause: unknown, mirror: string, file: string): ImageError {
  const isMissing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
  if (isMissing && file.endsWith('.apk'))
    return new ImageError(
      'image.package-missing',
      `copy ${file} from ${mirror}: the mirror does not have it any more; run npm run image -- lock, or choose a mirror that keeps old packages`,
      { cause },
    );
  const reason =
    cause instanceof Error
      ? String((cause.cause as Error | undefined)?.message ?? cause.message)
      : String(cause);
  return new ImageError(
    'image.packages-unreachable',
    `reach the mirror ${mirror}: ${file}: ${reason}; set --mirror (or ALPINE_MIRROR) to one that can be reached, ` +
      'also file:///FOLDER; behind a proxy set NODE_USE_ENV_PROXY=1 and HTTPS_PROXY',
    { cause },
  );
}
