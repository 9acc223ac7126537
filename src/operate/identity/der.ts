// The few types of ASN.1 that a certificate request is made of, as DER (X.690): each function gives tag, length and contents.

export function sequence(...parts: readonly Uint8Array[]): Uint8Array {
  return element(0x30, ...parts);
}

/** DER wants the members sorted; callers give one. */
export function setOfOne(member: Uint8Array): Uint8Array {
  return element(0x31, member);
}

/** 0 to 127. */
export function smallInteger(value: number): Uint8Array {
  return element(0x02, Uint8Array.of(value));
}

export function utf8String(text: string): Uint8Array {
  return element(0x0c, new TextEncoder().encode(text));
}

export function octetString(contents: Uint8Array): Uint8Array {
  return element(0x04, contents);
}

/** Whole bytes: no unused bits. */
export function bitString(contents: Uint8Array): Uint8Array {
  return element(0x03, Uint8Array.of(0), contents);
}

/** `[number] IMPLICIT`, 0 to 30. */
export function implicit(
  number: number,
  kind: 'primitive' | 'constructed',
  contents: Uint8Array,
): Uint8Array {
  return element(0x80 | number | (kind === 'constructed' ? 0x20 : 0), contents);
}

/** X.690, 8.19: the first two numbers share a byte, the others are base 128, highest digit first. */
export function objectId(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return element(0x06, Uint8Array.from([first * 40 + second, ...rest.flatMap(base128)]));
}

function base128(value: number): number[] {
  const digits = [value % 128];
  for (let left = Math.floor(value / 128); left > 0; left = Math.floor(left / 128)) {
    digits.unshift((left % 128) + 128);
  }
  return digits;
}

function element(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const contents = Buffer.concat(parts);
  return Buffer.concat([Uint8Array.from([tag, ...lengthBytes(contents.length)]), contents]);
}

function lengthBytes(length: number): number[] {
  if (length < 128) return [length];
  const bytes: number[] = [];
  for (let left = length; left > 0; left = Math.floor(left / 256)) bytes.unshift(left % 256);
  return [0x80 | bytes.length, ...bytes];
}

/** Of a positive number: its first bit is 0. */
export function integer(bytes: Uint8Array): Uint8Array {
  return element(0x02, bytes);
}

export function boolean(value: boolean): Uint8Array {
  return element(0x01, Uint8Array.of(value ? 0xff : 0));
}

/** `YYMMDDHHMMSSZ` */
export function utcTime(text: string): Uint8Array {
  return element(0x17, new TextEncoder().encode(text));
}

/** `YYYYMMDDHHMMSSZ` */
export function generalizedTime(text: string): Uint8Array {
  return element(0x18, new TextEncoder().encode(text));
}

/** `[number] EXPLICIT`, 0 to 30. */
export function explicit(number: number, inner: Uint8Array): Uint8Array {
  return element(0xa0 | number, inner);
}
