// Who asks: the address of the connection or, behind a proxy that the configuration trusts, the one that the proxy saw.
import type { IncomingHttpHeaders } from 'node:http';
import { BlockList } from 'node:net';
import { parseAddressRange } from '../lib/parse-address-range.ts';
import { isLoopback, plainAddress } from './client-key.ts';
import { forwardedForNodes, forwardedNodes } from './forwarded-nodes.ts';

export interface ClientAddresses {
  of(request: {
    readonly headers: IncomingHttpHeaders;
    readonly socket: { readonly remoteAddress?: string | undefined };
  }): string;
  /** Whether this address stands for many clients. */
  isProxy(address: string): boolean;
}

/**
 * The rightmost address that is no trusted proxy counts: what stands left of it is what the client has sent himself. A header that
 * cannot be believed leaves the proxy's own address: such clients share one lock-out, and nobody chooses an address for himself.
 */
export function createClientAddresses(trustedProxies: readonly string[] = []): ClientAddresses {
  const trusted = new BlockList();
  for (const text of trustedProxies) {
    const range = parseAddressRange(text);
    if (range !== null) trusted.addSubnet(range.address, range.prefix, range.family);
  }
  const isProxy = (address: string) => {
    const plain = plainAddress(address).replace(/%.*$/, '');
    return trusted.check(plain, plain.includes(':') ? 'ipv6' : 'ipv4');
  };
  /** Null: it tells of nobody. */
  const clientIn = (nodes: readonly (string | null)[] | null): string | null => {
    if (nodes === null) return null;
    const client = nodes.findLast((node) => node === null || !isProxy(node));
    return client === undefined ? (nodes[0] ?? null) : client;
  };
  return {
    isProxy,
    of({ headers, socket }) {
      const own = socket.remoteAddress ?? '';
      if (trustedProxies.length === 0 || !isProxy(own)) return own;
      const told = [
        nodesOf(headers.forwarded, forwardedNodes),
        nodesOf(headers['x-forwarded-for'], forwardedForNodes),
      ]
        .filter((nodes) => nodes !== undefined)
        .map(clientIn);
      const [client = null, other = client] = told;
      // A proxy writes one of the two headers and lets the client's other one pass: where they differ, one is the client's invention.
      if (client === null || client !== other) return own;
      // A place of its own is for this machine's own screen.
      return isLoopback(client) && !isLoopback(own) ? own : client;
    },
  };
}

/** Several headers of one name are one list (RFC 9110, 5.3). Undefined: there is none. */
function nodesOf<T>(header: string | string[] | undefined, parse: (text: string) => T): T | undefined {
  return header === undefined ? undefined : parse(Array.isArray(header) ? header.join(', ') : header);
}
