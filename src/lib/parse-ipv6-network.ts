import { isIPv6 } from 'node:net';

export interface Ipv6Network {
  readonly ok: true;
  /** As it was written, without the prefix. */
  readonly address: string;
  readonly prefix: number;
  has(other: string): boolean;
}

/** Why no host can have it; completes the sentence "this address …". */
export interface Ipv6Refusal {
  readonly ok: false;
  readonly reason: string;
}

/** `2001:db8::20/64` -> its parts, or why a host cannot be given it. */
export function parseIpv6Network(text: string): Ipv6Network | Ipv6Refusal {
  const refuse = (reason: string): Ipv6Refusal => ({ ok: false, reason });
  const [, address = '', digits] = /^([^/]*)(?:\/(.*))?$/.exec(text) ?? [];
  const number = ipv6Number(address);
  if (number === null) return refuse('is no IPv6 address');
  if (digits === undefined) return refuse('has no prefix');
  const prefix = Number(digits);
  // No zero in front: programs read such a number as octal.
  if (!/^[1-9]\d{0,2}$/.test(digits) || prefix > 128) return refuse('has a prefix beyond 1 to 128');
  const kind = kindOf(number);
  if (kind !== null) return refuse(kind);
  const hostBits = BigInt(128 - prefix);
  // RFC 4291, 2.6.1: the address of whatever router is there; of a link between two (RFC 6164) an address like others.
  if (hostBits > 1n && (number >> hostBits) << hostBits === number)
    return refuse('is that of the network itself');
  return {
    ...{ ok: true, address, prefix },
    has(other) {
      const asNumber = ipv6Number(other);
      return asNumber !== null && asNumber >> hostBits === number >> hostBits;
    },
  };
}

/** Below fe80::/10: means something on one link alone, as a router's address may. */
export function isLinkLocal(address: string): boolean {
  const number = ipv6Number(address);
  return number !== null && number >> 118n === 0x3fan;
}

/** 128 bits, or null for what is no address. A zone (`fe80::1%eth0`) is no part of an address. */
export function ipv6Number(text: string): bigint | null {
  if (!isIPv6(text) || text.includes('%')) return null;
  // A URL has one spelling for each address: hexadecimal groups, at most one `::`, no dotted end.
  const [head = '', tail] = new URL(`http://[${text}]`).hostname.slice(1, -1).split('::');
  const groups = (part: string) => (part === '' ? [] : part.split(':'));
  const [first, last] = [groups(head), groups(tail ?? '')];
  const zeros = Array<string>(8 - first.length - last.length).fill('0');
  return [...first, ...zeros, ...last].reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n);
}

/** null: an address that may be given to a host. */
function kindOf(number: bigint): string | null {
  // ::, ::1, IPv4 in IPv6 and what else IANA keeps back below 100::.
  if (number >> 120n === 0n) return 'is unspecified, loopback, or stands for IPv4';
  if (number >> 120n === 0xffn) return 'is multicast';
  return number >> 118n === 0x3fan ? 'is link-local, which every interface makes by itself' : null;
}
