// The `after` hook of a test, for benchmarks and drills: what was registered is undone in reverse order, whatever happens.
import type { TestContext } from 'node:test';

export type Cleanup = Pick<TestContext, 'after'>;

export async function* withCleanup<T>(run: (t: Cleanup) => AsyncIterable<T>): AsyncIterable<T> {
  const undo: (() => unknown)[] = [];
  try {
    yield* run({ after: (fn) => void undo.push(fn as () => unknown) });
  } finally {
    for (const each of undo.reverse()) await each();
  }
}
