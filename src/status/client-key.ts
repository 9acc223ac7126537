/** One client may use every address of its IPv6 /64, so that counts as one; link-local neighbours share theirs and do not. */
export function clientKey(address: string): string {
  const plain = plainAddress(address);
  if (!plain.includes(':') || plain === '::1' || /^fe[89ab]/i.test(plain)) return plain;
  const [head = '', tail] = plain.split('::');
  const groups = head.split(':');
  if (tail !== undefined) {
    const rest = tail.split(':');
    while (groups.length + rest.length < 8) groups.push('0');
  }
  return groups.slice(0, 4).join(':');
}

/** Programs on the appliance itself, such as a proxy that stands for many clients. */
export function isLoopback(address: string): boolean {
  const plain = plainAddress(address);
  return plain === '::1' || /^127\.\d+\.\d+\.\d+$/.test(plain);
}

/** An IPv4 client of a socket that listens on `::` comes as `::ffff:192.0.2.1`. */
export function plainAddress(address: string): string {
  return address.replace(/^::ffff:/i, '');
}
