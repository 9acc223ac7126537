// Plugins in the booted guest, inside all their limits: from the stored bundle to running, and what idle ones weigh, alone and sixteen at
// once. All of it is emulated, many times slower than the machine itself. Limit: Node with a worker, started alone in the same guest;
// for memory the aim of 22 MB.
import { setTimeout as delay } from 'node:timers/promises';
import type { CloudEvent } from '../../src/contracts/event.ts';
import type { SecurityLevel } from '../../src/contracts/plugin-manifest.ts';
import { LIMIT_MS, type PluginAppliance, startPluginAppliance } from '../plugins/plugin-appliance.ts';
import { signedPlugin } from '../plugins/test-plugins.ts';
import { whyNoGuest } from '../support/guest-image.ts';
import { until } from '../support/until.ts';
import { withCleanup } from '../support/with-cleanup.ts';
import { type BenchRow, benchRow } from './bench-row.ts';

const AT_ONCE = 16;
const RESTARTS = 10;
const AIM_MB = 22;
const MB = 1_000_000;
/** An idle process gives some memory back after its start. */
const SETTLE_MS = 10_000;
const leaves = '/sys/fs/cgroup/edge/plugins';
const levels: readonly SecurityLevel[] = ['low', 'medium', 'high'];

/** Runs in the guest: Node with a worker, again and again, then the times in ms as JSON. */
const nodeAlone = `
  const { spawn } = require('node:child_process');
  const alone = "new (require('node:worker_threads').Worker)('1', { eval: true }).once('exit', () => process.stdout.write('x'))";
  const samples = [];
  const next = () => {
    if (samples.length === ${RESTARTS}) return console.log(JSON.stringify(samples));
    const began = performance.now();
    const child = spawn(process.execPath, ['-e', alone], { stdio: ['ignore', 'pipe', 'ignore'] });
    child.stdout.once('data', () => { samples.push(performance.now() - began); child.kill('SIGKILL'); });
    child.once('exit', next);
  };
  next();`;

export async function* bench(): AsyncIterable<BenchRow> {
  const why = whyNoGuest();
  if (why !== false) throw new Error(`the benchmark in the guest cannot run here: ${why}`);
  yield* withCleanup(async function* (t) {
    const appliance = await startPluginAppliance(t, { memoryMiB: 2_048 });
    const { guest } = appliance;
    await guest.shell.must(`cat >/tmp/alone.cjs <<'END'\n${nodeAlone}\nEND`);
    const limits = JSON.parse(await guest.shell.must('node /tmp/alone.cjs', LIMIT_MS)) as number[];
    yield* memoryRows(appliance);
    const cold = startsOf(appliance.ofType.bind(appliance), 'idle');
    yield* quantileRows(
      `guest (emulated): plugin start, verified anew, level low, n=${cold.length}`,
      cold,
      limits,
    );
    for (const level of levels) yield* restartRows(appliance, level, limits);
  });
}

async function* memoryRows({ guest, plugins }: PluginAppliance): AsyncIterable<BenchRow> {
  for (let n = 1; n <= AT_ONCE; n += 1) {
    const { body } = await plugins.install(await idlePlugin(`idle-${n}`, 'low'));
    if (body.plugin?.state !== 'running') throw new Error(`idle-${n} does not run: ${JSON.stringify(body)}`);
    if (n !== 1 && n !== AT_ONCE) continue;
    await delay(SETTLE_MS);
    const text = await guest.shell.must(`cat ${leaves}/idle-*/memory.current`);
    const charged = text.trim().split('\n').map(Number);
    const rollups = await guest.shell.must(
      `for pid in $(cat ${leaves}/idle-*/cgroup.procs); do
         [ "$(readlink "/proc/$pid/exe")" = /usr/bin/node ] && cat "/proc/$pid/smaps_rollup"
       done; true`,
    );
    const kib = [...rollups.matchAll(/^Private_(?:Clean|Dirty):\s+(\d+)/gm)].map(([, figure]) =>
      Number(figure),
    );
    const privateMb = (1_024 * kib.reduce((sum, each) => sum + each, 0)) / n / MB;
    const name = `guest: memory of each idle plugin, ${n} at once`;
    yield benchRow(`${name}, private`, privateMb, AIM_MB, 'MB');
    yield benchRow(`${name}, charged to its cgroup, mean`, mean(charged) / MB, null, 'MB');
    yield benchRow(`${name}, charged to its cgroup, most`, Math.max(...charged) / MB, null, 'MB');
  }
  for (let n = 1; n <= AT_ONCE; n += 1) await plugins.ask('DELETE', `/api/v1/plugins/idle-${n}`);
}

async function* restartRows(
  { guest, ofType, plugins }: PluginAppliance,
  level: SecurityLevel,
  limits: readonly number[],
): AsyncIterable<BenchRow> {
  const name = `again-${level}`;
  await plugins.install(await idlePlugin(name, level));
  await plugins.inState(name, 'running');
  const heldMs: number[] = [];
  for (let n = 1; n <= RESTARTS; n += 1) {
    await plugins.ask('POST', `/api/v1/plugins/${name}/restart`);
    await until(`${name} runs`, () => startsOf(ofType, name).length > n, LIMIT_MS);
    const stat = await guest.shell.must(`cat ${leaves}/${name}/cpu.stat`);
    heldMs.push(Number(/^throttled_usec (\d+)$/m.exec(stat)?.[1]) / 1_000);
  }
  const starts = startsOf(ofType, name).slice(1);
  yield* quantileRows(
    `guest (emulated): plugin start, verified before, level ${level}, n=${starts.length}`,
    starts,
    limits,
  );
  yield benchRow(
    `guest (emulated): of it held back by cpu.max, level ${level}, p50`,
    at(heldMs, 0.5),
    null,
    'ms',
  );
  await plugins.ask('DELETE', `/api/v1/plugins/${name}`);
}

function idlePlugin(name: string, level: SecurityLevel) {
  return signedPlugin({ name, level, code: 'export default { onEvent() {} };\n', subscriptions: [] });
}

/** By the appliance's own clock: from the first look at the stored bundle until its start is through. */
function startsOf(ofType: (type: string) => readonly CloudEvent[], name: string): readonly number[] {
  const mine = ({ subject }: CloudEvent) => subject?.startsWith(`plugin/${name}`) === true;
  const begun = ofType('plugin.validating').filter(mine);
  return ofType('plugin.running')
    .filter(mine)
    .map(({ subject, uptimems }) => {
      const from = begun.filter((event) => event.subject === subject && event.uptimems <= uptimems).at(-1);
      return uptimems - (from?.uptimems ?? Number.NaN);
    });
}

function* quantileRows(name: string, samples: readonly number[], limits: readonly number[]) {
  for (const quantile of [0.5, 0.95])
    yield benchRow(`${name}, p${quantile * 100}`, at(samples, quantile), at(limits, quantile), 'ms');
}

function at(samples: readonly number[], quantile: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(quantile * sorted.length))] ?? Number.NaN;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, each) => sum + each, 0) / values.length;
}
