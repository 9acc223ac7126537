/** One figure: ours beside the raw limit measured in the same run. `ratio` = ours / limit; null where there is no limit. */
export interface BenchRow {
  readonly name: string;
  readonly ours: number;
  readonly limit: number | null;
  readonly unit: string;
  readonly ratio: number | null;
}

/** A file `test/bench/<name>.bench.ts` exports `bench`; it prints nothing and cleans up after itself. */
export type Bench = () => AsyncIterable<BenchRow>;

export function benchRow(name: string, ours: number, limit: number | null, unit: string): BenchRow {
  return { name, ours, limit, unit, ratio: limit === null || limit === 0 ? null : ours / limit };
}
