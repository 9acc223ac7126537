// Password -> the bytes that a minisign key file is hidden with: scrypt as libsodium's crypto_pwhash_scryptsalsa208sha256, whose
// two limits stand in the file; node:crypto has scrypt itself, the WebAssembly libsodium has not.
import { scrypt } from 'node:crypto';

export interface KdfLimits {
  readonly opsLimit: number;
  readonly memLimitBytes: number;
}

/** What minisign writes: 1 GiB and some seconds. */
export const minisignKdfLimits: KdfLimits = { opsLimit: 33_554_432, memLimitBytes: 1_073_741_824 };
/** A file may not ask for more than this. */
const maxMemoryBytes = 2 ** 32;

/** null when the limits ask for more memory than a key file may, or than there is. */
export function keyStream(
  password: string,
  options: { readonly salt: Uint8Array; readonly limits: KdfLimits; readonly length: number },
): Promise<Buffer | null> {
  const { N, r, p } = scryptParameters(options.limits);
  const memory = 128 * r * (N + p + 2);
  if (memory > maxMemoryBytes || p > 64) return Promise.resolve(null);
  const { promise, resolve } = Promise.withResolvers<Buffer | null>();
  const cost = { N, r, p, maxmem: 2 * memory };
  // Its one error with parameters that are in order is that the memory cannot be had.
  scrypt(password, options.salt, options.length, cost, (error, key) => resolve(error === null ? key : null));
  return promise;
}

/** libsodium's `pickparams`: the largest power of two within the tighter of both limits. */
function scryptParameters({ opsLimit, memLimitBytes }: KdfLimits): {
  readonly N: number;
  readonly r: number;
  readonly p: number;
} {
  const r = 8;
  const ops = Math.max(opsLimit, 32_768);
  const isBoundByOps = ops < memLimitBytes / 32;
  const maxN = isBoundByOps ? ops / (r * 4) : memLimitBytes / (r * 128);
  let log2 = 1;
  while (log2 < 63 && 2 ** log2 <= maxN / 2) log2++;
  const N = 2 ** log2;
  const p = isBoundByOps ? 1 : Math.max(1, Math.floor(Math.min(ops / 4 / N, 0x3fff_ffff) / r));
  return { N, r, p };
}
