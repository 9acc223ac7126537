// `npm run check`: types, Biome, the type-aware rules and the fast tests, in under a minute. What can run side by side does; each
// step prints its output whole and its time; the exit code is that of the first step that failed.
import { spawn } from 'node:child_process';
import { fastTests } from './support/test-files.ts';

interface Step {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
}

const rounds: readonly (readonly Step[])[] = [
  [
    { name: 'format and lint', command: ['biome', 'check', '--error-on-warnings', '.'] },
    { name: 'types', command: ['tsc', '-p', '.'] },
    { name: "the page's types", command: ['tsc', '-p', 'src/status/page'] },
    { name: 'type-aware rules', command: ['eslint', '--max-warnings=0', '.'] },
  ],
  [
    {
      name: 'fast tests',
      // Most of them wait for a server or a process: more files at a time than there are processors.
      command: ['node', '--test', '--test-concurrency=4', '--test-timeout=60000', ...fastTests()],
    },
  ],
];

for (const round of rounds) {
  const codes = await Promise.all(round.map(run));
  const failed = codes.find((code) => code !== 0);
  if (failed !== undefined) process.exit(failed);
}

async function run({ name, command: [file, ...args] }: Step): Promise<number> {
  const started = performance.now();
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const output: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => output.push(chunk));
  const ended = Promise.withResolvers<string | number>();
  child.on('error', (error) => ended.resolve(error.message));
  child.on('close', (code, signal) => ended.resolve(code ?? signal ?? 'unknown'));
  const outcome = await ended.promise;
  process.stdout.write(Buffer.concat(output));
  const seconds = `${((performance.now() - started) / 1_000).toFixed(1)} s`;
  console.log(`check: ${name} ${outcome === 0 ? 'ok' : `failed (${outcome})`} in ${seconds}`);
  return typeof outcome === 'number' ? outcome : 1;
}
