// Time-based one-time passwords (RFC 6238): SHA-1, 30 seconds, 6 digits, what every authenticator app does. Pure.
import { createHmac, timingSafeEqual } from 'node:crypto';

const STEP_MS = 30_000;
/** Clocks of phones and boxes differ: one step to each side. */
const DRIFT_STEPS = 1;
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

export function totpStep(wallMs: number): number {
  return Math.floor(wallMs / STEP_MS);
}

/** RFC 4226, 5.3. */
export function totpAt(secret: Uint8Array, step: number, digits = 6): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const mac = createHmac('sha1', secret).update(counter).digest();
  const number = mac.readUInt32BE((mac.at(-1) ?? 0) & 0x0f) & 0x7fff_ffff;
  return String(number % 10 ** digits).padStart(digits, '0');
}

/** The step that `code` is of, or null. A step up to `usedStep` was used already and does not count again (RFC 6238, 5.2). */
export function matchTotp(
  secret: Uint8Array,
  code: string,
  { wallMs, usedStep }: { readonly wallMs: number; readonly usedStep: number },
): number | null {
  if (!/^\d{6}$/.test(code)) return null;
  const now = totpStep(wallMs);
  for (let step = now - DRIFT_STEPS; step <= now + DRIFT_STEPS; step++) {
    const isRight = timingSafeEqual(Buffer.from(totpAt(secret, step)), Buffer.from(code));
    if (isRight && step > usedStep) return step;
  }
  return null;
}

/** RFC 4648, without padding: how secrets are typed and scanned. */
export function toBase32(bytes: Uint8Array): string {
  let text = '';
  let bits = 0;
  let value = 0;
  for (const byte of bytes) {
    value = ((value << 8) | byte) & 0xffff;
    bits += 8;
    for (; bits >= 5; bits -= 5) text += ALPHABET[(value >> (bits - 5)) & 31];
  }
  return bits === 0 ? text : text + ALPHABET[(value << (5 - bits)) & 31];
}

/** What an authenticator app scans. */
export function totpUri(
  secret: Uint8Array,
  { user, appliance }: { user: string; appliance: string },
): string {
  const label = `AutoWeave:${encodeURIComponent(`${user}@${appliance}`)}`;
  return `otpauth://totp/${label}?secret=${toBase32(secret)}&issuer=AutoWeave`;
}
