// Which devices come or go next on the simulated bus. Pure: the plugged set and a random number in, names out.
import type { Capture } from './capture.ts';

export interface Change {
  readonly kind: 'plug' | 'unplug';
  readonly capture: Capture;
}

/** About this share of the ports that can be taken is. */
const wantedShare = 0.6;

/** What is there at the beginning: every second device, hubs with what hangs on them. */
export function firstChanges(captures: readonly Capture[]): readonly Change[] {
  const changes: Change[] = [];
  const plugged: Capture[] = [];
  for (const [index, capture] of captures.entries()) {
    if ((index % 2 === 0 || parentOf(capture, plugged) !== undefined) && canPlug(capture, plugged)) {
      plugged.push(capture);
      changes.push({ kind: 'plug', capture });
    }
  }
  return changes;
}

/** One plug, or one unplug with everything that hangs below it first. `random` is 0 <= x < 1. Empty: nothing can change. */
export function nextChange(
  captures: readonly Capture[],
  plugged: readonly Capture[],
  random: () => number,
): readonly Change[] {
  const free = captures.filter((capture) => canPlug(capture, plugged));
  const possible = new Set(captures.map(({ port }) => port)).size;
  const full = plugged.length / possible >= wantedShare;
  const plug = free.length > 0 && (plugged.length === 0 || random() < (full ? 0.3 : 0.7));
  const capture = pick(plug ? free : plugged, random());
  if (capture === undefined) return [];
  if (plug) return [{ kind: 'plug', capture }];
  const below = plugged.filter(({ port }) => port.startsWith(`${capture.port}.`));
  return [...below.sort((a, b) => b.port.length - a.port.length), capture].map((each) => ({
    kind: 'unplug',
    capture: each,
  }));
}

function canPlug(capture: Capture, plugged: readonly Capture[]): boolean {
  if (plugged.some(({ port }) => port === capture.port)) return false;
  return !capture.port.includes('.') || parentOf(capture, plugged) !== undefined;
}

function parentOf({ port, devpath }: Capture, plugged: readonly Capture[]): Capture | undefined {
  if (!port.includes('.')) return undefined;
  return plugged.find((hub) => devpath.startsWith(`${hub.devpath}/`));
}

function pick<T>(from: readonly T[], random: number): T | undefined {
  return from[Math.floor(random * from.length)];
}
