/**
 * Base64 -> exactly `length` bytes, or null. One value has one spelling: no white space, no missing padding, no stray bits in
 * the last character, so that two different texts are never the same key or signature.
 */
export function strictBase64(text: string, length: number): Uint8Array | null {
  if (text.length !== 4 * Math.ceil(length / 3)) return null;
  const bytes = Buffer.from(text, 'base64');
  return bytes.length === length && bytes.toString('base64') === text ? bytes : null;
}
