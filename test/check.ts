// `npm run check`: types, Biome, the type-aware rules and the fast tests, in under a minute. Prints each step's time;
// exits with the first failing step's code.
import { spawnSync } from 'node:child_process';
import { performance } from 'node:perf_hooks';
import { fastTests } from './support/test-files.ts';

const steps: readonly (readonly [string, readonly string[]])[] = [
  ['types', ['tsc', '-p', '.']],
  ['format and lint', ['biome', 'check', '--error-on-warnings', '.']],
  ['type-aware rules', ['eslint', '--max-warnings=0', '.']],
  ['fast tests', ['node', '--test', '--test-timeout=60000', ...fastTests()]],
];

for (const [name, [command = '', ...args]] of steps) {
  const started = performance.now();
  const { status, error } = spawnSync(command, args, { stdio: 'inherit' });
  if (error !== undefined || status !== 0) {
    console.error(`check: ${name} failed${error === undefined ? '' : ` (${error.message})`}`);
    process.exit(status ?? 1);
  }
  console.log(`check: ${name} ok in ${((performance.now() - started) / 1000).toFixed(1)} s`);
}
