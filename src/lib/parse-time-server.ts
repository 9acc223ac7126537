import { isIP, isIPv4 } from 'node:net';

/** `host`, `host:port`, an address, `[IPv6 address]:port` -> its parts, or null. A name is what DNS allows. */
export function parseTimeServer(text: string): { readonly host: string; readonly port: number } | null {
  if (isIP(text) !== 0) return { host: text, port: 123 };
  const [, bracketed, plain, digits = '123'] =
    /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9.-]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = bracketed ?? plain ?? '';
  const isHost = bracketed === undefined ? isIPv4(host) || isName(host) : isIP(host) === 6;
  const port = Number(digits);
  return isHost && port >= 1 && port <= 65_535 ? { host, port } : null;
}

/** Four numbers that are no address are not a name either. */
function isName(host: string): boolean {
  return (
    host.length <= 253 &&
    !/^[0-9.]+$/.test(host) &&
    host.split('.').every((label) => /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/.test(label))
  );
}
