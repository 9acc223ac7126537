// Types of hand-over.mjs, for its test.

export function handOver(task: {
  readonly node: string;
  readonly script: string;
  readonly args: readonly string[];
  readonly root: string;
}): Promise<number>;
