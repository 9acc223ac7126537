// Where a webhook may go without TLS: this machine and its own network.
import dns from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { WebhookError } from './webhook-error.ts';

const inside = new BlockList();
for (const [network, prefix] of [
  ['127.0.0.0', 8],
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['169.254.0.0', 16],
] as const)
  inside.addSubnet(network, prefix, 'ipv4');
for (const [network, prefix] of [
  ['::1', 128],
  ['fc00::', 7],
  ['fe80::', 10],
] as const)
  inside.addSubnet(network, prefix, 'ipv6');

/** Of an IP address: loopback, link-local, or of a private network (RFC 1918, RFC 4193). */
export function isPrivateAddress(address: string): boolean {
  const version = isIP(address);
  return version !== 0 && inside.check(address, version === 6 ? 'ipv6' : 'ipv4');
}

/** Looks a name up, and fails when any of its addresses lies outside: checked at each connect, for names change their addresses. */
export const lookupPrivate: LookupFunction = (hostname, options, callback) => {
  dns.lookup(hostname, { ...options, all: true }, (error, addresses) => {
    const [first] = addresses ?? [];
    const outside = addresses?.find(({ address }) => !isPrivateAddress(address));
    if (error !== null || first === undefined) callback(error, [], 0);
    else if (outside !== undefined) callback(plainHttpRefused(hostname), [], 0);
    else if (options.all === true) callback(null, addresses);
    else callback(null, first.address, first.family);
  });
};

export function plainHttpRefused(host: string): WebhookError {
  return new WebhookError(
    'uplink.plain-http-refused',
    `http:// to ${host}, which lies outside the private networks, would show the events to everybody in between; use https://, or set allowPlainHttp`,
  );
}
