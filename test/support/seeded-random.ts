// Randomness that can be repeated: the same seed gives the same numbers on every machine (mulberry32: good enough to
// choose test inputs, never for keys).

export interface SeededRandom {
  /** 0 <= x < 1 */
  next(): number;
  /** 0 <= n < below */
  integer(below: number): number;
  pick<T>(from: readonly T[]): T;
}

export function seededRandom(seed: number): SeededRandom {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const integer = (below: number) => Math.floor(next() * below);
  return {
    next,
    integer,
    pick(from) {
      const value = from[integer(from.length)];
      if (value === undefined) throw new Error('pick: nothing to pick from');
      return value;
    },
  };
}
