// Bytes <-> one gzip member with a fixed header. Opening is strict: nothing before, between or after, and a bound on the result.
import { constants, crc32, deflateRawSync, inflateRawSync } from 'node:zlib';
import { type BundleRefusal, refuse } from './bundle-refusal.ts';

/** Deflate, no flags, no time, "best compression", no operating system. */
const headerHex = '1f8b08000000000002ff';
const header = Buffer.from(headerHex, 'hex');
const trailerBytes = 8;

export function toGzip(bytes: Uint8Array): Buffer {
  const trailer = Buffer.alloc(trailerBytes);
  trailer.writeUInt32LE(crc32(bytes), 0);
  trailer.writeUInt32LE(bytes.length, 4);
  return Buffer.concat([header, deflateRawSync(bytes, { level: constants.Z_BEST_COMPRESSION }), trailer]);
}

export function openGzip(
  file: Uint8Array,
  maxBytes: number,
): { readonly ok: true; readonly bytes: Buffer } | BundleRefusal {
  const whole = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  if (whole.length < header.length + trailerBytes || !whole.subarray(0, header.length).equals(header))
    return refuse('bundle.not-gzip', '', 'does not begin as `autoweave plugin build` writes it');
  const body = whole.subarray(header.length, -trailerBytes);
  const inflated = inflate(body, maxBytes);
  if (!inflated.ok) return inflated;
  if (inflated.consumed !== body.length)
    return refuse('bundle.trailing-data', '', `has ${body.length - inflated.consumed} bytes after its end`);
  const { bytes } = inflated;
  const trailer = whole.subarray(-trailerBytes);
  if (trailer.readUInt32LE(0) !== crc32(bytes) || trailer.readUInt32LE(4) !== bytes.length)
    return refuse('bundle.gzip-damaged', '', 'does not have the checksum that it states');
  return { ok: true, bytes };
}

function inflate(body: Buffer, maxBytes: number) {
  try {
    // `info` adds the decoder, which knows how far it came; the types do not know of it.
    const options = { maxOutputLength: maxBytes, info: true };
    const { buffer, engine } = inflateRawSync(body, options) as unknown as {
      readonly buffer: Buffer;
      readonly engine: { readonly bytesWritten: number };
    };
    return { ok: true, bytes: buffer, consumed: engine.bytesWritten } as const;
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    return code === 'ERR_BUFFER_TOO_LARGE'
      ? refuse('bundle.unpacked-too-large', '', `unpacks to more than ${maxBytes} bytes`)
      : refuse('bundle.gzip-damaged', '', `cannot be unpacked: ${message}`);
  }
}
