import { isIPv4 } from 'node:net';

export interface Ipv4Network {
  readonly address: string;
  readonly prefix: number;
  /** First and last address of the network, as numbers. */
  readonly first: number;
  readonly last: number;
}

/** `192.168.1.20/24` -> its parts, or null when it is no address that a host can have. */
export function parseIpv4Network(text: string): Ipv4Network | null {
  // No zero in front: programs read such a number as octal.
  const [, address = '', digits = ''] = /^([0-9.]+)\/([1-9]\d?)$/.exec(text) ?? [];
  const prefix = Number(digits);
  if (!isIPv4(address) || prefix < 1 || prefix > 32) return null;
  const number = ipv4Number(address);
  const size = 2 ** (32 - prefix);
  const first = Math.floor(number / size) * size;
  const network = { address, prefix, first, last: first + size - 1 };
  // Below 1.0.0.0, loopback, multicast and above are no addresses of a host; nor are a network's first and last (RFC 3021: but of /31).
  const top = Math.floor(number / 2 ** 24);
  if (top === 0 || top === 127 || top >= 224) return null;
  return prefix < 31 && (number === first || number === network.last) ? null : network;
}

/** Expects an IPv4 address. */
export function ipv4Number(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}
