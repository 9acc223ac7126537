// A boundary, a leaf and a folder of code -> a running process of a plugin. It is in its leaf, its namespaces and under its filter
// before the first instruction of Node: the launcher joins the leaf, becomes bubblewrap, and that becomes Node.
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import type { Duplex, Readable } from 'node:stream';
import type { Leaf } from '../cgroup/open-leaf.ts';
import { PluginError } from '../plugin-error.ts';
import { bwrapArguments } from './bwrap-arguments.ts';
import type { Boundary } from './open-boundary.ts';

/** No core file, few descriptors; first to go when the machine runs out of memory, where the daemon, whose place it inherits, is last. */
const begin = 'ulimit -c 0 && ulimit -n 256 && echo 1000 >/proc/self/oom_score_adj';
/**
 * `begin`, then writes its own number into the leaf, whose limits hold already, and becomes what follows. If one of these
 * cannot be done, nothing follows.
 */
export const joinLeaf = `${begin} && echo $$ >"$0/cgroup.procs" && exec "$@"`;
const noLeaf = `${begin} && exec "$@"`;
const SECCOMP_FD = 4;

export interface HostProcess {
  readonly child: ChildProcess;
  readonly channel: Duplex;
  readonly stdout: Readable;
  readonly stderr: Readable;
}

export interface LaunchOptions {
  readonly boundary: Boundary;
  /** null only where the boundary has no branch. */
  readonly leaf: Leaf | null;
  readonly pluginDir: string;
  readonly tmpBytes: number;
}

/** @throws PluginError `plugins.system`, or the error of the file system: nothing was started then. */
export function launchHost({ boundary, leaf, pluginDir, tmpBytes }: LaunchOptions): HostProcess {
  const { hostDir, runtime, sandbox } = boundary;
  const inside =
    sandbox === null ? { host: hostDir, plugin: pluginDir } : { host: '/host', plugin: '/plugin' };
  const view = { runtime, hostDir, pluginDir, tmpBytes, seccompFd: SECCOMP_FD };
  const command = [
    ...(sandbox === null ? [] : [sandbox.bwrap, ...bwrapArguments(view), '--']),
    runtime.node,
    ...nodeFlags(inside),
    `${inside.host}/host.cjs`,
    inside.plugin,
  ];
  const args = leaf === null ? ['-c', noLeaf, 'sh', ...command] : ['-c', joinLeaf, leaf.dir, ...command];
  const filter = sandbox === null ? null : openSync(sandbox.seccompFile, 'r');
  try {
    const child = spawn('/bin/sh', args, {
      // Nothing of the daemon's environment: it may hold secrets.
      env: {},
      cwd: '/',
      stdio: ['ignore', 'pipe', 'pipe', 'pipe', ...(filter === null ? [] : [filter])],
    });
    // At the limit of descriptors there are no pipes, against the type, and an event alone says so.
    if ((child.stdio as ChildProcess['stdio'] | undefined) === undefined) {
      child.once('error', () => undefined);
      throw new PluginError(
        'plugins.system',
        'start a process for a plugin: the appliance has no descriptor left (EMFILE)',
      );
    }
    const [, stdout, stderr, channel] = child.stdio;
    return {
      child,
      channel: channel as Duplex,
      stdout: stdout as Readable,
      stderr: stderr as Readable,
    };
  } finally {
    if (filter !== null) closeSync(filter);
  }
}

/** Hygiene: they keep an honest plugin honest. What holds is around the process. */
function nodeFlags({ host, plugin }: { readonly host: string; readonly plugin: string }): readonly string[] {
  return [
    ...['--permission', '--allow-worker', `--allow-fs-read=${host}`, `--allow-fs-read=${plugin}`],
    ...['--allow-fs-read=/tmp', '--allow-fs-write=/tmp'],
    ...['--disable-warning=SecurityWarning', '--no-addons', '--max-semi-space-size=1'],
  ];
}
