// What a proxy writes about the way of a request -> the addresses on it, the client's end first. Pure.
import { isIP, SocketAddress } from 'node:net';

/** The nodes of `Forwarded`; null where one names nobody. Null in place of the list when it breaks the grammar anywhere. */
export function forwardedNodes(header: string): readonly (string | null)[] | null {
  // RFC 7239, section 4: token "=" ( token / quoted-string ), then what parts it from the next one.
  const pair = /[ \t]*([\w!#$%&'*+.^`|~-]+)=(?:([\w!#$%&'*+.^`|~-]+)|"((?:[^"\\]|\\.)*)")[ \t]*(;|,|$)/y;
  const nodes: (string | null)[] = [];
  let node: string | null = null;
  for (;;) {
    const match = pair.exec(header);
    if (match === null) return null;
    const [, name = '', token, quoted = '', end] = match;
    if (name.toLowerCase() === 'for') {
      if (node !== null) return null;
      node = nodeAddress(token ?? quoted.replace(/\\(.)/g, '$1'));
    }
    if (end === ';') continue;
    nodes.push(node);
    node = null;
    if (end === '') return nodes;
  }
}

/** The same of `X-Forwarded-For`, which has no grammar to break. */
export function forwardedForNodes(header: string): readonly (string | null)[] {
  return header.split(',').map((part) => nodeAddress(part.trim()));
}

/** An address with or without a port; null for `unknown`, for names that hide an address, and for garbage. */
function nodeAddress(text: string): string | null {
  const [, bracketed, plain] = /^(?:\[([^\]]+)\](?::\d{1,5})?|([\d.]+)(?::\d{1,5})?)$/.exec(text) ?? [];
  const address = bracketed ?? plain ?? text;
  // A zone belongs to the machine that writes it.
  if (address.includes('%')) return null;
  switch (isIP(address)) {
    case 4:
      return bracketed === undefined ? address : null;
    case 6:
      // One spelling of each address: the same client is to be the same.
      return new SocketAddress({ address, family: 'ipv6' }).address;
    default:
      return null;
  }
}
