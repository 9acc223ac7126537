// Starts a signed plugin again and again in the product's sandbox, as an ordinary user, and measures. Run by plugin-start.bench.ts
// and plugin-memory.bench.ts; prints JSON. Arguments: starts, plugins at once.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { hostSource } from '../../src/plugins/host/host-source.ts';
import { openRegistry } from '../../src/plugins/registry/open-registry.ts';
import { openValidatedBundles } from '../../src/plugins/registry/validated-bundles.ts';
import { openBoundary } from '../../src/plugins/sandbox/open-boundary.ts';
import type { PluginWorld } from '../../src/plugins/supervise/plugin-world.ts';
import { SupervisedPlugin } from '../../src/plugins/supervise/supervised-plugin.ts';
import { openPluginTrust } from '../../src/supervisor/plugin-trust.ts';
import { systemClock } from '../../src/supervisor/system-clock.ts';
import { traceparent } from '../buffer/open-test-buffer.ts';
import { signedPlugin, writeTrust } from '../plugins/test-plugins.ts';
import { recordingLog } from '../support/recording-log.ts';

export interface PluginStartFigures {
  readonly missing: readonly string[];
  /** From the stored bundle to running, ms: nothing cached; then what was verified is known by its hash. */
  readonly coldMs: readonly number[];
  readonly warmMs: readonly number[];
  /** Private memory of each process, idle for a while, in bytes. */
  readonly privateBytes: readonly number[];
  readonly proportionalBytes: readonly number[];
}

/** An idle process gives some memory back after its start. */
const SETTLE_MS = 3_000;

const [starts = 10, atOnce = 1] = process.argv.slice(2).map(Number);
const dir = await mkdtemp(path.join(tmpdir(), 'autoweave-bench-'));
await writeTrust(dir);
const trust = openPluginTrust(dir, async () => undefined);
const boundary = await openBoundary({ runDir: dir, hostSource: hostSource(), uid: process.getuid?.() ?? 0 });
const registry = openRegistry(path.join(dir, 'plugins'));
const clock = systemClock(() => true);

async function worldOf(name: string): Promise<PluginWorld> {
  const bundles = await openValidatedBundles({
    dir: path.join(dir, `code-${name}`),
    ...{ verify: trust.verify, trustKey: trust.key },
  });
  const nothing = async () => ({ events: [], position: { generation: 0, number: 0 } });
  return {
    config: { settings: {}, mostPlugins: 64, recycleAfterEvents: 0, recycleAtMemoryPercent: 0 },
    ...{ registry, bundles, boundary, insecure: true, disk: null, sysfsRoot: '/sys', devRoot: '/dev' },
    ...{ read: nothing, append: async () => [], onAppended: () => () => undefined },
    openConsumer: async () => ({ position: { generation: 0, number: 0 }, acknowledge: () => undefined }),
    removeConsumer: async () => undefined,
    provenMs: async () => 0,
    ...{ clock, random: Math.random, traceparent: () => traceparent, log: recordingLog() },
    ...{
      say: () => undefined,
      publish: async () => null,
      installed: () => new Map(),
      onChange: () => undefined,
    },
  };
}

async function pluginNamed(name: string): Promise<SupervisedPlugin> {
  const code = 'export default { onEvent() {} };\n';
  const { bytes, signature } = await signedPlugin({ name, code, subscriptions: [], level: 'high' });
  const world = await worldOf(name);
  const validation = await world.bundles.validate({ bytes, signatureText: signature }, 0);
  if (!validation.ok) throw new Error(validation.reason);
  const { sha256 } = validation.validated;
  const record = {
    ...({ v: 1, name, enabled: true, previous: null, blocked: null } as const),
    ...{ onProbation: false, highestSecurityCounter: 0 },
    current: { version: '1.0.0', sha256, securityCounter: 0, installedAtMs: Date.now() },
  };
  await registry.store(record, { bytes, signatureText: signature });
  const fresh = await worldOf(name);
  return new SupervisedPlugin({
    world: fresh,
    record,
    onUnhealthy: () => undefined,
    onBlocked: () => undefined,
    onHealthy: () => undefined,
  });
}

async function startOnce(plugin: SupervisedPlugin): Promise<number> {
  const began = performance.now();
  await plugin.start('measured');
  const state = await plugin.settled();
  if (state !== 'running') throw new Error(`${state}: ${JSON.stringify(plugin.logs.slice(-3))}`);
  return performance.now() - began;
}

const [coldMs, warmMs]: [number[], number[]] = [[], []];
for (let n = 0; n < starts; n += 1) {
  const plugin = await pluginNamed('bench');
  coldMs.push(await startOnce(plugin));
  await plugin.stop('measured');
  warmMs.push(await startOnce(plugin));
  await plugin.stop('measured');
}
const plugins = await Promise.all(Array.from({ length: atOnce }, (_, n) => pluginNamed(`bench-${n}`)));
await Promise.all(plugins.map(startOnce));
await delay(SETTLE_MS);
const rollups = nodesBelow(process.pid).map((pid) => readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'));
const sum = (text: string, keys: RegExp) =>
  [...text.matchAll(keys)].reduce((bytes, [, kib]) => bytes + 1_024 * Number(kib), 0);
const figures: PluginStartFigures = {
  ...{ missing: boundary.missing, coldMs, warmMs },
  privateBytes: rollups.map((text) => sum(text, /^Private_(?:Clean|Dirty):\s+(\d+)/gm)),
  proportionalBytes: rollups.map((text) => sum(text, /^Pss:\s+(\d+)/gm)),
};
await Promise.all(plugins.map((plugin) => plugin.stop('measured')));
await rm(dir, { recursive: true, force: true });
console.log(JSON.stringify(figures));
process.exit(0);

function nodesBelow(parent: number): number[] {
  const children = execFileSync('ps', ['-o', 'pid=', '--ppid', String(parent)], { encoding: 'utf8' });
  return children
    .split('\n')
    .map(Number)
    .filter((pid) => pid > 0)
    .flatMap((pid) => [...(isHost(pid) ? [pid] : []), ...nodesBelowOrNone(pid)]);
}

function nodesBelowOrNone(pid: number): number[] {
  try {
    return nodesBelow(pid);
  } catch {
    // `ps` ends with 1 where a process has no child.
    return [];
  }
}

function isHost(pid: number): boolean {
  try {
    const [program = '', ...args] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    return path.basename(program) === 'node' && args.some((word) => word.endsWith('host.cjs'));
  } catch {
    // It has just ended.
    return false;
  }
}
