// What a device says about itself (bytes of a sysfs string) -> text that is safe to log, store and show.

const MAX_CHARACTERS = 255;
// Control characters, line and paragraph separators, and the marks that turn the direction of the text after them.
const unsafe = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069\u061c\u200e\u200f]/gu;
const decoder = new TextDecoder('utf-8', { fatal: false, ignoreBOM: true });

/** Unsafe characters and invalid UTF-8 become U+FFFD; 255 characters at most. */
export function claimedText(raw: Uint8Array | string): string {
  const text = typeof raw === 'string' ? raw.toWellFormed() : decoder.decode(raw);
  const safe = text.replace(unsafe, '\ufffd');
  return safe.length <= MAX_CHARACTERS ? safe : [...safe].slice(0, MAX_CHARACTERS).join('');
}
