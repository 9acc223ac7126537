/** Patterns of event types (`usb.device.added`, `usb.device.*`, `*`) -> whether a type is wanted. Pure. */
export function toTypeFilter(patterns: readonly string[]): (type: string) => boolean {
  const prefixes = patterns.filter((pattern) => pattern.endsWith('*')).map((pattern) => pattern.slice(0, -1));
  const names = new Set(patterns);
  return (type) => names.has(type) || prefixes.some((prefix) => type.startsWith(prefix));
}
