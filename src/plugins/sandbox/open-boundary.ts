// What this machine can put around a plugin: found out once, before the first plugin. Runs in the daemon.
import { execFile } from 'node:child_process';
import { access, constants, mkdir, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { errorText } from '../../lib/error-text.ts';
import { findBranch } from '../cgroup/find-branch.ts';
import type { HostSource } from '../host/build-host-source.ts';
import { type RuntimeFiles, readRuntimeFiles } from './runtime-files.ts';
import { seccompFilter } from './seccomp-filter.ts';

const bwrapPlaces = ['/usr/bin/bwrap', '/usr/local/bin/bwrap', '/bin/bwrap'];
const PROBE_LIMIT_MS = 10_000;

export interface Boundary {
  /** Where a leaf may be made; null: no cgroup holds a plugin. */
  readonly branch: string | null;
  /** null: plugins run as plain processes. */
  readonly sandbox: { readonly bwrap: string; readonly seccompFile: string } | null;
  /** Folder with the process's own source. */
  readonly hostDir: string;
  readonly runtime: RuntimeFiles;
  /** Which layers are missing and why, one sentence each; empty: all are there. */
  readonly missing: readonly string[];
}

/** @throws the error of the file system when `runDir` cannot be written. */
export async function openBoundary(options: {
  readonly runDir: string;
  readonly hostSource: HostSource;
  readonly uid: number;
  readonly cgroupRoot?: string;
}): Promise<Boundary> {
  const hostDir = path.join(options.runDir, 'plugin-host');
  const seccompFile = path.join(options.runDir, 'plugin-seccomp');
  await mkdir(hostDir, { recursive: true, mode: 0o755 });
  for (const [name, text] of Object.entries(options.hostSource))
    await replace(path.join(hostDir, name), Buffer.from(text));
  const runtime = await readRuntimeFiles();

  const missing: string[] = [];
  const branch = await findBranch(options.cgroupRoot);
  if (!branch.ok) missing.push(`no limits of memory, processor and processes: ${branch.why}`);
  const filter = seccompFilter(process.arch);
  const bwrap = await firstThatRuns(bwrapPlaces);
  let sandbox: Boundary['sandbox'] = null;
  if (filter === null) missing.push(`no filter of system calls: there is no table for ${process.arch}`);
  else if (bwrap === null) missing.push('no sandbox: bubblewrap (bwrap) is not installed');
  else if (options.uid === 0)
    missing.push(
      'no sandbox: the runtime is root, and bubblewrap started by root keeps too much; run it as its own user',
    );
  else {
    await replace(seccompFile, filter);
    const why = await whyNoNamespaces(bwrap);
    if (why === null) sandbox = { bwrap, seccompFile };
    else missing.push(`no sandbox: ${why}`);
  }
  return { branch: branch.ok ? branch.dir : null, sandbox, hostDir, runtime, missing };
}

async function replace(file: string, bytes: Uint8Array): Promise<void> {
  await writeFile(`${file}.new`, bytes, { mode: 0o644 });
  await rename(`${file}.new`, file);
}

async function firstThatRuns(files: readonly string[]): Promise<string | null> {
  for (const file of files) {
    const runs = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (runs) return file;
  }
  return null;
}

/** The namespaces are asked for once, with nothing in them: what the kernel refuses is known before a plugin is. */
async function whyNoNamespaces(bwrap: string): Promise<string | null> {
  const namespaces = ['--unshare-user', '--unshare-pid', '--unshare-net', '--unshare-ipc', '--unshare-uts'];
  // `bwrap --version` inside says nothing of namespaces: bwrap itself is the program that is started.
  const inside = ['--ro-bind', '/', '/', '--proc', '/proc', '--dev', '/dev', '--', bwrap, '--version'];
  try {
    await promisify(execFile)(bwrap, [...namespaces, ...inside], { timeout: PROBE_LIMIT_MS, env: {} });
    return null;
  } catch (cause) {
    const { stderr } = cause as { readonly stderr?: string };
    return `the kernel refuses the namespaces (${stderr?.trim() || errorText(cause)})`;
  }
}
