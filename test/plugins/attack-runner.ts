// Runs in the guest as the runtime's user: attacks inside the product's own sandbox and limits, with the named layers left out, to
// show that it is they which stop them. Arguments: a file with the jobs as JSON, a file for the results, one JSON line a job.
// Bundled by the test that sends it there.
import { spawn } from 'node:child_process';
import { appendFileSync, closeSync, mkdirSync, openSync, readFileSync, watch, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { PluginResources } from '../../src/contracts/plugin-manifest.ts';
import { findBranch } from '../../src/plugins/cgroup/find-branch.ts';
import { leafLimits } from '../../src/plugins/cgroup/leaf-limits.ts';
import { type Leaf, openLeaf } from '../../src/plugins/cgroup/open-leaf.ts';
import { createFrameReader, writeFrame } from '../../src/plugins/protocol/frames.ts';
import { bwrapArguments } from '../../src/plugins/sandbox/bwrap-arguments.ts';
import { joinLeaf } from '../../src/plugins/sandbox/launch-host.ts';
import { readRuntimeFiles } from '../../src/plugins/sandbox/runtime-files.ts';
import { seccompFilter } from '../../src/plugins/sandbox/seccomp-filter.ts';
import { type Attack, readRefusal } from './attacks.ts';

export interface AttackJob {
  readonly code: string;
  readonly resources: PluginResources;
  readonly without: readonly string[];
  readonly port: number;
  /** From its beginning on. */
  readonly seconds: number;
  /** It is through when more than this was counted; null: when it says so. */
  readonly flood: Attack['flood'] | null;
}

export interface RunnerResult {
  /** What the attack said it reached; null: it said nothing. */
  readonly reached: string | null;
  readonly ended: string | null;
  /** It came to its first request. */
  readonly begun: boolean;
  /** Of one core, over the run. */
  readonly cpuPercent: number;
  readonly memoryPeakMiB: number | null;
  readonly oomKills: number;
  readonly refusedPids: number;
  readonly messages: number;
  readonly outputBytes: number;
  readonly channelBytes: number;
  /**
   * By this machine's monotonic clock. Memory: from the kernel's first notice that memory.max was reached until the group was empty.
   * Processor: from the attack's beginning until it was first held back. Else how long the slowest refused call took. null: nothing
   * of the kind was seen.
   */
  readonly containedMs: number | null;
}

const BEGIN_LIMIT_MS = 60_000;
const LOOK_MS = 10;
const dir = '/run/autoweave/attack';
const hostDir = '/run/autoweave/plugin-host';

interface Message {
  readonly t: string;
  readonly r?: number;
  readonly text?: string;
  readonly why?: string;
  readonly request?: { readonly data?: { readonly d?: unknown } };
}

const branch = await findBranch();
if (!branch.ok) throw new Error(branch.why);
const [jobsFile = '', resultsFile = ''] = process.argv.slice(2);
// In a file: an attack looks for words in the command lines of others.
for (const job of JSON.parse(readFileSync(jobsFile, 'utf8')) as readonly AttackJob[])
  appendFileSync(resultsFile, `${JSON.stringify(await runJob(job, branch.dir))}\n`);
process.exit(0);

async function runJob(job: AttackJob, branchDir: string): Promise<RunnerResult> {
  const without = new Set(job.without);
  const limits = leafLimits(job.resources, null).filter(
    ({ file }) => !without.has(file) && !(file === 'memory.oom.group' && without.has('memory.max')),
  );
  const leaf = await openLeaf(branchDir, 'attack', limits);
  const marks = watchLimits(leaf.dir);
  const server = createServer((socket) => socket.destroy()).listen(job.port, '127.0.0.1');
  // Only where it is wanted: emulated, Node needs seconds to come up.
  const victim = job.code.includes('aw-victim')
    ? spawn(process.execPath, ['-e', 'setTimeout(() => {}, 300_000)', 'aw-victim'], { stdio: 'ignore' })
    : null;
  const child = await launch(job, without, leaf);
  let [reached, ended]: [string | null, string | null] = [null, null];
  let refusedMs: number | null = null;
  let beganMs: number | null = null;
  const [begun, over] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const counted = { messages: 0, outputBytes: 0, channelBytes: 0 };
  const count = (what: keyof typeof counted, more: number) => {
    counted[what] += more;
    if (job.flood?.of === what && counted[what] > job.flood.above) over.resolve();
  };
  const channel = child.stdio[3] as Duplex;
  const frames = createFrameReader(1 << 30);
  const take = (message: Message) => {
    count('messages', 1);
    if (message.t === 'request') {
      beganMs ??= performance.now();
      begun.resolve();
      if (message.request?.data?.d !== undefined) reached ??= 'data without a bottom were taken';
      writeFrame(channel, { t: 'answer', r: message.r, ok: true, value: null });
    }
    if (message.t === 'log' && message.text?.startsWith('REACHED ')) reached ??= message.text;
    const gaveUp = message.t === 'log' ? readRefusal(message.text ?? '') : null;
    refusedMs ??= gaveUp?.refusedMs ?? null;
    if (message.t === 'failed') ended ??= message.why?.split('\n')[0] ?? 'failed';
    if (message.t === 'installed') reached ??= 'a forged message was taken';
    // The attack is through, whether it reached something or not.
    if (message.t === 'running' || (job.flood === null && (gaveUp !== null || reached !== null)))
      over.resolve();
  };
  channel.on('data', (chunk: Buffer) => {
    count('channelBytes', chunk.length);
    for (const message of frames.take(chunk).messages) take(message as Message);
  });
  channel.on('error', () => undefined);
  child.stdout?.on('data', (chunk: Buffer) => count('outputBytes', chunk.length));
  child.stderr?.on('data', (chunk: Buffer) => {
    if (counted.messages === 0) process.stderr.write(chunk);
  });
  const exited = new Promise<void>((resolve) =>
    child.on('exit', (code, signal) => {
      ended ??= signal ?? `exit ${code}`;
      resolve();
    }),
  );
  const heapMiB = without.has('heap') ? 600 : Math.floor((job.resources.memoryMaxBytes * 0.6) / (1 << 20));
  writeFrame(channel, {
    ...{ t: 'open', name: 'attack', version: '1.0.0', entry: 'plugin.mjs', config: {} },
    ...{ heapMiB, tries: 3 },
  });
  // Its time begins with its first request.
  await Promise.race([exited, begun.promise, delay(BEGIN_LIMIT_MS)]);
  const startMs = beganMs ?? performance.now();
  const atBegin = await leaf.use();
  const isHeldBack = () => throttledUsec(leaf.dir) > atBegin.throttledUsec;
  let heldMs: number | null = null;
  const look = setInterval(() => {
    if (heldMs === null && isHeldBack()) heldMs = performance.now() - startMs;
  }, LOOK_MS);
  await Promise.race([exited, over.promise, delay(job.seconds * 1_000)]);
  clearInterval(look);
  const outcome = { reached, ended, begun: beganMs !== null, ...counted };
  const use = await leaf.use();
  const cpuPercent = Math.round((use.cpuUsec - atBegin.cpuUsec) / 10 / (performance.now() - startMs));
  const oomMs =
    use.oomKills > 0 && marks.limitMs !== null ? (marks.emptyMs ?? performance.now()) - marks.limitMs : null;
  marks.stop();
  await leaf.remove();
  victim?.kill('SIGKILL');
  server.close();
  const isCpuBounded = job.resources.cpuMaxPercent < 100 && !without.has('cpu.max');
  const containedMs = oomMs ?? (isCpuBounded ? heldMs : null) ?? refusedMs;
  return {
    ...outcome,
    ...{ cpuPercent, oomKills: use.oomKills, refusedPids: use.refusedPids },
    memoryPeakMiB: use.memoryPeakBytes === null ? null : Math.round(use.memoryPeakBytes / (1 << 20)),
    containedMs: containedMs === null ? null : Math.round(containedMs),
  };
}

/** The kernel tells of a change of these files at once; it is not looked for. */
function watchLimits(leafDir: string) {
  let [limitMs, emptyMs]: [number | null, number | null] = [null, null];
  const has = (file: string, line: RegExp) => line.test(readFileSync(path.join(leafDir, file), 'utf8'));
  const watchers = [
    watch(path.join(leafDir, 'memory.events'), () => {
      if (limitMs === null && has('memory.events', /^max [1-9]/m)) limitMs = performance.now();
    }),
    watch(path.join(leafDir, 'cgroup.events'), () => {
      if (limitMs !== null && has('cgroup.events', /^populated 0$/m)) emptyMs ??= performance.now();
    }),
  ];
  return {
    get limitMs() {
      return limitMs;
    },
    get emptyMs() {
      return emptyMs;
    },
    stop() {
      for (const watcher of watchers) watcher.close();
    },
  };
}

function throttledUsec(leafDir: string): number {
  const text = readFileSync(path.join(leafDir, 'cpu.stat'), 'utf8');
  return Number(/^throttled_usec (\d+)$/m.exec(text)?.[1]);
}

async function launch(job: AttackJob, without: ReadonlySet<string>, leaf: Leaf) {
  mkdirSync(`${dir}/plugin`, { recursive: true });
  writeFileSync(`${dir}/plugin/plugin.mjs`, job.code);
  writeFileSync(`${dir}/seccomp`, seccompFilter(process.arch) ?? new Uint8Array());
  const runtime = await readRuntimeFiles();
  const view = { runtime, hostDir, pluginDir: `${dir}/plugin`, tmpBytes: 1 << 24, seccompFd: 4 };
  const chosen = leaveOut(bwrapArguments(view), without);
  const places = without.has('mount')
    ? [`${hostDir}/host.cjs`, `${dir}/plugin`]
    : ['/host/host.cjs', '/plugin'];
  const join = without.has('nofile') ? joinLeaf.replace('ulimit -n 256', 'ulimit -n 4096') : joinLeaf;
  const heap = without.has('heap') ? ['--max-old-space-size=600'] : [];
  const fd = openSync(`${dir}/seccomp`, 'r');
  const child = spawn(
    '/bin/sh',
    ['-c', join, leaf.dir, '/usr/bin/bwrap', ...chosen, '--', runtime.node, ...heap, ...places],
    { env: {}, stdio: ['ignore', 'pipe', 'pipe', 'pipe', fd] },
  );
  closeSync(fd);
  return child;
}

/** Options of bubblewrap without those of the layers that are left out. */
function leaveOut(words: readonly string[], layers: ReadonlySet<string>): string[] {
  const replaced: readonly (readonly [layer: string, option: readonly string[], by: readonly string[]])[] = [
    ['pid', ['--unshare-pid'], []],
    // The kernel gives a fresh /proc only to who has process numbers of his own.
    ['pid', ['--proc', '/proc'], ['--ro-bind', '/proc', '/proc']],
    ['net', ['--unshare-net'], []],
    ['seccomp', ['--seccomp', '4'], []],
    ['tmp-size', ['--size', String(1 << 24)], []],
  ];
  let left = [...words];
  for (const [layer, option, by] of replaced) {
    const at = left.findIndex((_, index) => option.every((each, offset) => left[index + offset] === each));
    if (layers.has(layer) && at !== -1)
      left = [...left.slice(0, at), ...by, ...left.slice(at + option.length)];
  }
  if (!layers.has('mount')) return left;
  const withoutBinds: string[] = [];
  for (let at = 0; at < left.length; at += 1) {
    if (left[at] === '--ro-bind') at += 2;
    else withoutBinds.push(left[at] ?? '');
  }
  return ['--ro-bind', '/', '/', ...withoutBinds];
}
