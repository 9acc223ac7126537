// What the rate limit keeps back of one port: counts, and just enough to tell the net result in real steps later.
import type { UsbDevice } from '../contracts/usb-device.ts';
import { isSameFacts } from './same-device.ts';
import {
  type Changed,
  type Covered,
  coverBoth,
  isPlug,
  type Plug,
  type Ready,
  type Transition,
} from './transition.ts';

export interface Counts {
  readonly added: number;
  readonly removed: number;
  readonly other: number;
  readonly fromUptimeMs: number;
  readonly toUptimeMs: number;
}

export interface Suppressed {
  readonly counts: Counts;
  readonly transitions: number;
  /** What is at the port after all of it. */
  readonly device: UsbDevice | null;
  /** The step that took away what had been told as present. */
  readonly firstRemoved: Plug | null;
  /** The steps that brought the device of the end to what it is. */
  readonly lastAdded: Plug | null;
  readonly lastChanged: Changed | null;
  readonly ready: Ready | null;
  readonly covers: Covered | null;
}

export const NO_COUNTS: Counts = {
  added: 0,
  removed: 0,
  other: 0,
  fromUptimeMs: Number.POSITIVE_INFINITY,
  toUptimeMs: Number.NEGATIVE_INFINITY,
};

export function nothingSuppressed(told: UsbDevice | null): Suppressed {
  return {
    counts: NO_COUNTS,
    transitions: 0,
    device: told,
    firstRemoved: null,
    lastAdded: null,
    lastChanged: null,
    ready: null,
    covers: null,
  };
}

export function suppress(before: Suppressed, transition: Transition): Suppressed {
  const next = {
    ...before,
    counts: count(before.counts, transition),
    transitions: before.transitions + 1,
    covers: coverBoth(before.covers, transition.covers),
  };
  switch (transition.kind) {
    case 'added':
      return { ...next, device: transition.device, lastAdded: transition };
    case 'removed': {
      const isFirstPlug = before.counts.added + before.counts.removed === 0;
      const firstRemoved = isFirstPlug ? transition : before.firstRemoved;
      return { ...next, device: null, firstRemoved, lastAdded: null, lastChanged: null, ready: null };
    }
    case 'changed':
      return { ...next, device: transition.device, lastChanged: transition };
    case 'ready':
      return { ...next, ready: transition };
  }
}

/** A plug counts with those that debounce folded into it: as many that came as that went. */
export function count(before: Counts, transition: Transition): Counts {
  const { kind, observed } = transition;
  const pairs = isPlug(transition) ? transition.folded / 2 : 0;
  return {
    added: before.added + pairs + (kind === 'added' ? 1 : 0),
    removed: before.removed + pairs + (kind === 'removed' ? 1 : 0),
    other: before.other + (isPlug(transition) ? 0 : 1),
    fromUptimeMs: Math.min(before.fromUptimeMs, observed.uptimeMs),
    toUptimeMs: Math.max(before.toUptimeMs, observed.uptimeMs),
  };
}

export function total({ added, removed, other }: Counts): number {
  return added + removed + other;
}

export function sum(a: Counts, b: Counts): Counts {
  return {
    added: a.added + b.added,
    removed: a.removed + b.removed,
    other: a.other + b.other,
    fromUptimeMs: Math.min(a.fromUptimeMs, b.fromUptimeMs),
    toUptimeMs: Math.max(a.toUptimeMs, b.toUptimeMs),
  };
}

export interface NetResult {
  /** The steps from what has been told to what is true, each with its own instant. */
  readonly steps: readonly Transition[];
  /** How many transitions are told by the counts alone. */
  readonly folded: number;
  readonly counts: Counts;
}

export function toNetResult(suppressed: Suppressed, told: UsbDevice | null): NetResult {
  const { device, firstRemoved, lastAdded, lastChanged, ready, counts, transitions } = suppressed;
  const steps: Transition[] = [];
  if (told !== null && firstRemoved !== null) steps.push(firstRemoved);
  if (device !== null && lastAdded !== null) steps.push({ ...lastAdded, device });
  else if (device !== null && lastChanged !== null && (told === null || !isSameFacts(told, device)))
    steps.push(lastChanged);
  if (device !== null && ready !== null) steps.push(ready);
  const own = steps.reduce(count, NO_COUNTS);
  return {
    steps,
    folded: transitions - steps.length,
    counts: {
      ...counts,
      added: counts.added - own.added,
      removed: counts.removed - own.removed,
      other: counts.other - own.other,
    },
  };
}
