// Which events are given up first when the disk bound is reached: the order in which the service degrades.

/** From what goes last to what goes first. */
export const eventPriorities = ['vital', 'high', 'normal', 'low'] as const;
export type EventPriority = (typeof eventPriorities)[number];

/** By the longest prefix of the type. `vital` is what explains the holes that the others leave. */
const byPrefix: Readonly<Record<string, EventPriority>> = {
  'buffer.gap': 'vital',
  'buffer.generation': 'vital',
  'buffer.cursor-expired': 'vital',
  'buffer.spilled': 'low',
  'security.': 'high',
  'usb.device.': 'high',
  'usb.port.': 'high',
  'usb.suppressed': 'high',
  'usb.source.': 'normal',
  'plugin.': 'normal',
  'ota.': 'normal',
  'uplink.': 'low',
  'system.': 'low',
  'system.clock-synchronized': 'normal',
};
const prefixes = Object.keys(byPrefix).sort((a, b) => b.length - a.length);

export function priorityOf(type: string): EventPriority {
  const prefix = prefixes.find((one) => type.startsWith(one));
  return prefix === undefined ? 'normal' : (byPrefix[prefix] ?? 'normal');
}
