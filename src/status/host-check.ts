import { isIP } from 'node:net';

/**
 * Guards against DNS rebinding: a foreign page may point its own name at this address, but cannot make the browser send
 * another Host. Addresses are safe, because a browser that asks for one uses no name at all. `allowed` in lower case.
 */
export function isAllowedHost(host: string | undefined, allowed: ReadonlySet<string>): boolean {
  const [, bracketed, plain] =
    /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::\d{1,5})?$/.exec(host?.toLowerCase() ?? '') ?? [];
  if (bracketed !== undefined) return isIP(bracketed) === 6;
  if (plain === undefined) return false;
  const name = plain.replace(/\.$/, '');
  return isIP(name) === 4 || allowed.has(name);
}
