// A file (raw, gzip, zstd, xz) or the beginning of a disk -> the image's bytes in order, as often as they are asked for.
import { createReadStream } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { pipeline } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { FlashError } from './flash-error.ts';
import { xzBytes } from './xz-bytes.ts';

export interface ImageSource {
  readonly path: string;
  readonly format: 'raw' | 'gzip' | 'zstd' | 'xz';
  /** Known beforehand for what is not compressed. */
  readonly sizeBytes: number | null;
  bytes(): AsyncIterable<Buffer>;
}

const readBytes = 1024 * 1024;

export async function openImageFile(path: string): Promise<ImageSource> {
  const file = await open(path, 'r').catch((cause: unknown) => {
    throw unreadable(path, cause);
  });
  try {
    const { size } = await file.stat();
    if (size === 0)
      throw new FlashError({
        code: 'flash.image-empty',
        message: `read ${path}: the file is empty`,
        remedy: 'Download or build the image again.',
      });
    const format = await formatOf(path, file);
    return { path, format, sizeBytes: format === 'raw' ? size : null, bytes: () => decoded(path, format) };
  } finally {
    await file.close();
  }
}

/** The first `sizeBytes` of a disk. */
export function diskSource(path: string, sizeBytes: number): ImageSource {
  return {
    path,
    format: 'raw',
    sizeBytes,
    bytes: () => translated(path, createReadStream(path, { end: sizeBytes - 1, highWaterMark: readBytes })),
  };
}

/** By what the file begins with; its name may say anything. */
async function formatOf(path: string, file: FileHandle): Promise<ImageSource['format']> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(8), 0, 8, 0);
  const magic = buffer.toString('hex', 0, bytesRead);
  if (magic.startsWith('1f8b')) return 'gzip';
  if (/^(28b52ffd|5.2a4d18)/.test(magic)) return 'zstd';
  if (magic.startsWith('fd377a585a00')) return 'xz';
  for (const [start, name, unpack] of [
    ['504b0304', 'zip', 'unzip'],
    ['425a68', 'bzip2', 'bzip2 -dk'],
  ] as const)
    if (magic.startsWith(start))
      throw new FlashError({
        code: 'flash.image-format',
        message: `read ${path}: it is ${name}-compressed; raw, gzip, zstd and xz are understood`,
        remedy: `Run: ${unpack} ${path}`,
      });
  return 'raw';
}

async function* decoded(path: string, format: ImageSource['format']): AsyncIterable<Buffer> {
  if (format === 'raw') yield* translated(path, createReadStream(path, { highWaterMark: readBytes }));
  else if (format === 'gzip')
    yield* translated(path, decode(createReadStream(path, { highWaterMark: readBytes }), createGunzip()));
  else if (format === 'xz') yield* xzBytes(path);
  else yield* zstdFrames(path);
}

/** Node's decoder stops after the first frame without a word; parallel compressors and `cat` make files of many. */
async function* zstdFrames(path: string): AsyncIterable<Buffer> {
  const { size } = await stat(path);
  for (let start = 0; start < size; ) {
    const decoder = createZstdDecompress({ chunkSize: 256 * 1024 });
    yield* translated(path, decode(createReadStream(path, { start, highWaterMark: readBytes }), decoder));
    start += decoder.bytesWritten;
  }
}

function decode<Decoder extends NodeJS.ReadWriteStream>(
  from: NodeJS.ReadableStream,
  decoder: Decoder,
): Decoder {
  // The error reaches whoever reads the decoder; this callback only keeps it from being thrown twice.
  pipeline(from, decoder, () => undefined);
  return decoder;
}

async function* translated(path: string, stream: NodeJS.ReadableStream): AsyncIterable<Buffer> {
  try {
    for await (const bytes of stream) yield bytes as unknown as Buffer;
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

function unreadable(path: string, cause: unknown): FlashError {
  const { code = '', message } = cause as NodeJS.ErrnoException;
  if (code === 'Z_BUF_ERROR')
    return new FlashError(
      {
        code: 'flash.image-truncated',
        message: `read ${path}: the compressed data ends in the middle`,
        remedy: 'Download or copy the image again: it is incomplete.',
      },
      cause,
    );
  if (code.startsWith('Z') || code === 'ERR_ZLIB')
    return new FlashError(
      {
        code: 'flash.image-damaged',
        message: `read ${path}: the compressed data is damaged (${message})`,
        remedy: 'Download or copy the image again.',
      },
      cause,
    );
  return new FlashError(
    {
      code: code === 'EACCES' ? 'flash.no-permission' : 'flash.image-missing',
      message: `read ${path}: ${message}`,
      remedy: 'Check the path, and that you may read it.',
    },
    cause,
  );
}
