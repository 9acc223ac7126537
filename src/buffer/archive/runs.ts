// Ascending numbers <-> runs of consecutive ones, first and last of each. Pure.

export type Run = readonly [first: number, last: number];

/** `runs` with one more number, which is above all of them. */
export function addToRuns(runs: [number, number][], number: number): void {
  const last = runs.at(-1);
  if (last !== undefined && last[1] + 1 === number) last[1] = number;
  else runs.push([number, number]);
}

export function countOf(runs: readonly Run[]): number {
  return runs.reduce((count, [first, last]) => count + last - first + 1, 0);
}

export function runsAfter(runs: readonly Run[], number: number): Run[] {
  return runs.filter(([, last]) => last > number).map(([first, last]) => [Math.max(first, number + 1), last]);
}

/** What of `runs` lies in none of `taken`, which are ascending and apart. */
export function runsWithout(runs: readonly Run[], taken: readonly Run[]): Run[] {
  let left: Run[] = [...runs];
  for (const [from, to] of taken)
    left = left.flatMap(([first, last]): Run[] => {
      if (to < first || from > last) return [[first, last]];
      const rest: Run[] = [];
      if (first < from) rest.push([first, from - 1]);
      if (last > to) rest.push([to + 1, last]);
      return rest;
    });
  return left;
}
