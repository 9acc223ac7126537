// Waits until a server that was just started answers, or says that it does not.
import { setTimeout as delay } from 'node:timers/promises';
import type { Child } from './start-child.ts';
import { WorkbenchError } from './workbench-error.ts';

const limitMs = 30_000;

/** Resolves at the first true answer of `probe`. @throws WorkbenchError `workbench.not-ready`; AbortError */
export async function waitUntilReady(
  child: Child,
  probe: () => Promise<boolean>,
  signal: AbortSignal,
): Promise<void> {
  const end = performance.now() + limitMs;
  while (!(await probe())) {
    if (performance.now() > end) {
      throw new WorkbenchError(
        'workbench.not-ready',
        `${child.name} runs, but did not answer within ${limitMs / 1000} s; its last lines:\n${child.lastLines.join('\n')}`,
      );
    }
    await delay(50, undefined, { signal });
  }
}
