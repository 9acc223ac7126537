// Readings of one scale -> what is worth an event: a weight once it has come to rest, an empty scale, an overload.
import type { Reading } from './parse-reading.ts';

export interface WatchOptions {
  /** So many readings in a row must be stable and alike. */
  readonly stableReadings: number;
  /** How far they may be apart, in the scale's unit. */
  readonly tolerance: number;
  /** A weight nearer to the last one told is the same. */
  readonly minChange: number;
}

export type Told =
  | { readonly type: 'weight'; readonly value: number; readonly unit: string }
  | { readonly type: 'empty'; readonly unit: string }
  | { readonly type: 'overload' };

export interface WeightWatch {
  take(reading: Reading): Told | null;
}

export function createWeightWatch({ minChange, stableReadings, tolerance }: WatchOptions): WeightWatch {
  let last: Told = { type: 'empty', unit: '' };
  let first: { readonly value: number; readonly unit: string } | null = null;
  let alike = 0;

  const settled = (value: number, unit: string): Told | null => {
    if (Math.abs(value) <= tolerance) return last.type === 'empty' ? null : { type: 'empty', unit };
    const isSame = last.type === 'weight' && last.unit === unit && Math.abs(last.value - value) <= minChange;
    return isSame ? null : { type: 'weight', value, unit };
  };

  return {
    take(reading) {
      if (reading.kind === 'overload') {
        alike = 0;
        if (last.type === 'overload') return null;
        last = { type: 'overload' };
        return last;
      }
      const { stable, unit, value } = reading;
      const isAlike = first !== null && first.unit === unit && Math.abs(first.value - value) <= tolerance;
      if (!stable || !isAlike) {
        first = { value, unit };
        alike = stable ? 1 : 0;
      } else alike += 1;
      if (alike < stableReadings) return null;
      const told = settled(value, unit);
      if (told !== null) last = told;
      return told;
    },
  };
}
