/** The appliance's name as DNS and DHCP servers accept it (RFC 1123): lower case letters, digits and hyphens. */
export function hostName(name: string): string {
  const label = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 63)
    .replace(/^-+|-+$/g, '');
  return label === '' ? 'autoweave' : label;
}
