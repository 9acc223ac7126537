// Runs in the guest as the runtime's user: an attack inside the product's own sandbox and limits, with the named layers left out, to
// show that it is they which stop it. Argument: a file with the job as JSON. Prints a JSON result. Bundled by the test that sends it there.
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { PluginResources } from '../../src/contracts/plugin-manifest.ts';
import { findBranch } from '../../src/plugins/cgroup/find-branch.ts';
import { leafLimits } from '../../src/plugins/cgroup/leaf-limits.ts';
import { openLeaf } from '../../src/plugins/cgroup/open-leaf.ts';
import { createFrameReader, writeFrame } from '../../src/plugins/protocol/frames.ts';
import { bwrapArguments } from '../../src/plugins/sandbox/bwrap-arguments.ts';
import { joinLeaf } from '../../src/plugins/sandbox/launch-host.ts';
import { readRuntimeFiles } from '../../src/plugins/sandbox/runtime-files.ts';
import { seccompFilter } from '../../src/plugins/sandbox/seccomp-filter.ts';

interface Job {
  readonly code: string;
  readonly resources: PluginResources;
  readonly without: readonly string[];
  readonly port: number;
  readonly seconds: number;
}

export interface RunnerResult {
  /** What the attack said it reached; null: it said nothing. */
  readonly reached: string | null;
  readonly ended: string | null;
  /** Of one core, over the run. */
  readonly cpuPercent: number;
  readonly oomKills: number;
  readonly refusedPids: number;
  readonly messages: number;
  readonly outputBytes: number;
  readonly channelBytes: number;
  /** From its beginning until a limit of the leaf struck: held back, refused, or ended. */
  readonly struckMs: number | null;
}

const BEGIN_LIMIT_MS = 90_000;

// In a file: an attack looks for words in the command lines of others.
const job = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as Job;
const without = new Set(job.without);
const dir = '/run/autoweave/attack';
mkdirSync(`${dir}/plugin`, { recursive: true });
writeFileSync(`${dir}/plugin/plugin.mjs`, job.code);
writeFileSync(`${dir}/seccomp`, seccompFilter(process.arch) ?? new Uint8Array());

const branch = await findBranch();
if (!branch.ok) throw new Error(branch.why);
const limits = leafLimits(job.resources, null).filter(
  ({ file }) => !without.has(file) && !(file === 'memory.oom.group' && without.has('memory.max')),
);
const leaf = await openLeaf(branch.dir, 'attack', limits);
const server = createServer((socket) => socket.destroy()).listen(job.port, '127.0.0.1');
const victim = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60_000)', 'aw-victim'], {
  stdio: 'ignore',
});

const runtime = await readRuntimeFiles();
const view = { runtime, hostDir: '/run/autoweave/plugin-host', pluginDir: `${dir}/plugin` };
const fd = openSync(`${dir}/seccomp`, 'r');
const sandboxed = bwrapArguments({ ...view, tmpBytes: 1 << 24, seccompFd: 4 });
const chosen = leaveOut(sandboxed, without);
const places = without.has('mount')
  ? ['/run/autoweave/plugin-host/host.cjs', `${dir}/plugin`]
  : ['/host/host.cjs', '/plugin'];
const rlimit = without.has('nofile') ? joinLeaf.replace('ulimit -n 256 && ', 'ulimit -n 4096 && ') : joinLeaf;
const heap = without.has('heap') ? ['--max-old-space-size=600'] : [];
const child = spawn(
  '/bin/sh',
  ['-c', rlimit, leaf.dir, '/usr/bin/bwrap', ...chosen, '--', runtime.node, ...heap, ...places],
  { env: {}, stdio: ['ignore', 'pipe', 'pipe', 'pipe', fd] },
);
closeSync(fd);

let [reached, ended]: [string | null, string | null] = [null, null];
let [messages, outputBytes, channelBytes] = [0, 0, 0];
const [begun, over] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
const channel = child.stdio[3] as Duplex;
const frames = createFrameReader(1 << 30);
channel.on('data', (chunk: Buffer) => {
  channelBytes += chunk.length;
  for (const message of frames.take(chunk).messages as {
    t: string;
    r?: number;
    text?: string;
    why?: string;
    request?: { data?: { d?: unknown } };
  }[]) {
    messages += 1;
    if (message.t === 'request') begun.resolve();
    if (message.request?.data?.d !== undefined) reached ??= 'data without a bottom were taken';
    if (message.t === 'request') writeFrame(channel, { t: 'answer', r: message.r, ok: true, value: null });
    if (message.t === 'log' && message.text?.startsWith('REACHED ')) reached ??= message.text;
    // The attack is through, whether it reached something or not.
    if (message.t === 'running' || reached !== null) over.resolve();
    if (message.t === 'failed') ended ??= message.why?.split('\n')[0] ?? 'failed';
    if (message.t === 'installed') reached ??= 'a forged message was taken';
  }
});
channel.on('error', () => undefined);
child.stdout?.on('data', (chunk: Buffer) => (outputBytes += chunk.length));
child.stderr?.on('data', (chunk: Buffer) => {
  if (messages === 0) process.stderr.write(chunk);
});
const exited = new Promise<void>((resolve) =>
  child.on('exit', (code, signal) => {
    ended ??= signal ?? `exit ${code}`;
    resolve();
  }),
);
const heapMiB = without.has('heap') ? 600 : Math.floor((job.resources.memoryMaxBytes * 0.6) / (1 << 20));
writeFrame(channel, {
  t: 'open',
  name: 'attack',
  version: '1.0.0',
  entry: 'plugin.mjs',
  config: {},
  heapMiB,
  tries: 3,
});
// Its time begins with its first request: emulated, Node needs seconds to come up.
await Promise.race([exited, begun.promise, delay(BEGIN_LIMIT_MS)]);
const atBegin = await leaf.use();
const beganMs = performance.now();
let struckMs: number | null = null;
const look = async () => {
  const now = await leaf.use();
  const isHeld = job.resources.cpuMaxPercent < 100 && now.throttledUsec > atBegin.throttledUsec;
  if ((isHeld && !without.has('cpu.max')) || now.oomKills > 0 || now.refusedPids > 0)
    struckMs ??= Math.round(performance.now() - beganMs);
};
const watch = setInterval(() => void look(), 20);
await Promise.race([exited, over.promise, delay(job.seconds * 1_000)]);
clearInterval(watch);
const use = await leaf.use();
const result: RunnerResult = {
  ...{ reached, ended, messages, outputBytes, channelBytes, struckMs },
  cpuPercent: Math.round((use.cpuUsec - atBegin.cpuUsec) / 10 / (performance.now() - beganMs)),
  ...{ oomKills: use.oomKills, refusedPids: use.refusedPids },
};
await leaf.remove();
victim.kill('SIGKILL');
server.close();
console.log(JSON.stringify(result));
process.exit(0);

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
