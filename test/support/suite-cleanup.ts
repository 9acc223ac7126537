// The `after` hook of a suite: what was registered is undone in reverse order once its last test has ended. Called inside suite().
import { after } from 'node:test';
import type { Cleanup } from './with-cleanup.ts';

export function suiteCleanup(): Cleanup {
  const undo: (() => unknown)[] = [];
  after(async () => {
    for (const step of undo.reverse()) await step();
  });
  return { after: (step) => void undo.push(step as () => unknown) };
}
