// `npm test`: builds the bundle, then the tiers from fast to slow, each with its time; ends with the first failure's code.
// `npm test -- flows` runs the named tiers alone.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { buildBundle } from '../src/workbench/build-bundle.ts';
import { flowTests, guestTests, machineTests } from './support/test-files.ts';

interface Tier {
  readonly name: string;
  readonly about: string;
  readonly args: () => readonly string[];
  /** Takes too long for every run. */
  readonly onlyNamed?: true;
}

/** One file after the other: flows measure real servers, and two guests are too much for a small machine. */
const inTurn = (limitMs: number, files: readonly string[]) => [
  '--test',
  '--test-concurrency=1',
  `--test-timeout=${limitMs}`,
  ...files,
];
const tiers: readonly Tier[] = [
  { name: 'check', about: 'types, lint, fast tests', args: () => ['test/check.ts'] },
  { name: 'flows', about: 'the product with real servers', args: () => inTurn(180_000, flowTests()) },
  { name: 'guest', about: 'a booted machine', args: () => inTurn(900_000, guestTests()) },
  {
    name: 'machines',
    about: 'further booted machines, other bases',
    args: () => inTurn(2_700_000, machineTests()),
    onlyNamed: true,
  },
];

const root = path.resolve(import.meta.dirname, '..');
process.chdir(root);
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !tiers.some((tier) => tier.name === name));
if (unknown.length > 0) {
  console.error(
    `test: no tier named ${unknown.join(', ')}; there are: ${tiers.map(({ name }) => name).join(', ')}`,
  );
  process.exit(2);
}

const say = (line: string) => console.log(`test: ${line}`);
const began = performance.now();
const seconds = (since: number) => `${((performance.now() - since) / 1_000).toFixed(1)} s`;
buildBundle(root, say);
for (const { name, about, args } of tiers.filter(({ name, onlyNamed }) =>
  wanted.length === 0 ? onlyNamed !== true : wanted.includes(name),
)) {
  say(`${name} (${about})`);
  const started = performance.now();
  const { status, signal } = await run(args());
  if (status !== 0) {
    console.error(
      `test: ${name} failed after ${seconds(started)} (${signal ?? `exit code ${status}`}); what follows it was not run`,
    );
    process.exit(status ?? 1);
  }
  say(`${name} passed in ${seconds(started)}`);
}
say(`all passed in ${seconds(began)}`);
if (wanted.length === 0)
  say(
    'not part of this: npm test -- machines (first start, a damaged data partition, plugins, USB policy, page, installation, power cuts, start from a stick, base alpine, OCI)',
  );

async function run(args: readonly string[]) {
  const child = spawn(process.execPath, args, { stdio: 'inherit' });
  // Without this a SIGTERM would leave the tests running. The test runner ends its own children.
  const pass = (signal: NodeJS.Signals) => child.kill(signal);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, pass);
  const [status, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(signal, pass);
  return { status, signal };
}
