// What a client takes (Accept-Encoding, RFC 9110 12.5.3) -> the coding it gets; a text that never changes -> its compressed bytes, made
// when the first client asks for them. Only for what holds no secret: the length of a compressed answer tells of its content.
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

export type Coding = 'br' | 'gzip';

/** The better one first. Browsers take `br` over HTTPS alone. */
const codings: readonly Coding[] = ['br', 'gzip'];
/** 11 takes twenty times as long for a fourteenth less, and nothing else is done meanwhile. */
const BROTLI_QUALITY = 6;

/** null: as it is. */
export function chooseCoding(accepted: string): Coding | null {
  if (accepted.length > 1_000) return null;
  const weights = new Map<string, number>();
  for (const each of accepted.toLowerCase().split(',')) {
    const [, name, weight = '1'] = /^\s*([a-z0-9*-]+)\s*(?:;\s*q=([01](?:\.\d{0,3})?)\s*)?$/.exec(each) ?? [];
    if (name !== undefined) weights.set(name, Number(weight));
  }
  const weightOf = (name: string) => weights.get(name) ?? weights.get('*') ?? 0;
  const best = codings.reduce((one, other) => (weightOf(other) > weightOf(one) ? other : one));
  const wanted = weightOf(best);
  return wanted > 0 && wanted >= (weights.get('identity') ?? 0) ? best : null;
}

export function compressedOnce(text: string): (coding: Coding) => Uint8Array {
  const made = new Map<Coding, Uint8Array>();
  return (coding) => {
    const bytes = made.get(coding) ?? compress(text, coding);
    made.set(coding, bytes);
    return bytes;
  };
}

function compress(text: string, coding: Coding): Uint8Array {
  switch (coding) {
    case 'br':
      return brotliCompressSync(text, { params: { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY } });
    case 'gzip':
      return gzipSync(text, { level: constants.Z_BEST_COMPRESSION });
  }
}
