/** A long trial of one kind: what `npm run drill -- NAME` runs, and `npm test` in a short form. */
export interface Drill {
  /** One line for `npm run drill -- list`. */
  readonly about: string;
  /** How many rounds without `--n`. */
  readonly rounds: number;
  /** Does `n` rounds from `seed`, says through `say` what it did and lost, and returns how many rounds failed. */
  run(options: {
    readonly n: number;
    readonly seed: number;
    readonly say: (line: string) => void;
  }): Promise<number>;
}
