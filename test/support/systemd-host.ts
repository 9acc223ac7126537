// An ordinary host with a real systemd as process 1, in namespaces of its own: needs root and a writable cgroup v2, no machine.
import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { tempDir } from './temp-dir.ts';
import { until } from './until.ts';
import type { Cleanup } from './with-cleanup.ts';

export interface SystemdHost {
  /** Runs a command in the host and resolves whatever its exit code is. */
  run(
    ...command: readonly string[]
  ): Promise<{ readonly code: number; readonly out: string; readonly err: string }>;
  /** `systemctl show -P PROPERTY UNIT` */
  property(unit: string, name: string): Promise<string>;
}

/** Why there can be none here; null: there can. */
export function systemdHostLacks(): string | null {
  if (process.getuid?.() !== 0) return 'namespaces with devices and a cgroup are for root alone';
  for (const program of [
    '/usr/lib/systemd/systemd',
    '/usr/bin/nsenter',
    '/usr/bin/redis-server',
    '/usr/bin/bwrap',
  ]) {
    if (!existsSync(program)) return `${program} is not installed`;
  }
  return cgroupMount() === null ? 'no cgroup v2 is mounted writable' : null;
}

function cgroupMount(): string | null {
  return /^\S+ (\S+) cgroup2 rw/m.exec(readFileSync('/proc/mounts', 'utf8'))?.[1] ?? null;
}

export async function startSystemdHost(t: Cleanup, bundle: string): Promise<SystemdHost> {
  const root = await tempDir(t);
  const group = path.join(cgroupMount() ?? '', `autoweave-host-${process.pid}`);
  mkdirSync(group);
  t.after(() => until('its cgroup is empty', () => removed(group)));
  const script = path.resolve(import.meta.dirname, 'systemd-host.sh');
  const namespaces = ['--pid', '--mount', '--cgroup', '--net', '--ipc', '--uts'];
  const child = spawn(
    'sh',
    [
      '-c',
      'echo $$ >"$0/cgroup.procs" && exec "$@"',
      group,
      'unshare',
      ...namespaces,
      '--fork',
      '--kill-child',
      script,
      root,
      process.execPath,
      bundle,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = `${said}${text}`.slice(-10_000);
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  t.after(async () => {
    // The end of process 1 is the end of all the others.
    const first = firstChild(child.pid);
    if (first !== null) process.kill(first, 'SIGKILL');
    child.kill('SIGKILL');
    await ended;
  });

  const run: SystemdHost['run'] = (...command) => {
    const { promise, resolve } = Promise.withResolvers<Awaited<ReturnType<SystemdHost['run']>>>();
    // A session of its own: a command in there that signals its own group must not reach the test.
    const args = ['--wait', 'nsenter', '--target', String(firstChild(child.pid)), '--all', '--', ...command];
    const env = { PATH: '/usr/local/bin:/usr/sbin:/usr/bin' };
    execFile('setsid', args, { env, timeout: 60_000 }, (cause, out, err) => {
      resolve({ code: cause === null ? 0 : typeof cause.code === 'number' ? cause.code : -1, out, err });
    });
    return promise;
  };
  await until('systemd is up', async () => {
    if (child.exitCode !== null) throw new Error(`systemd did not start: ${said}`);
    if (firstChild(child.pid) === null) return false;
    return /^(running|degraded)$/m.test((await run('systemctl', 'is-system-running')).out);
  });
  return {
    run,
    property: async (unit, name) => (await run('systemctl', 'show', '-P', name, unit)).out.trim(),
  };
}

function firstChild(pid: number | undefined): number | null {
  const file = `/proc/${pid}/task/${pid}/children`;
  const text = existsSync(file) ? readFileSync(file, 'utf8').trim() : '';
  return text === '' ? null : Number(text.split(' ')[0]);
}

/** Innermost first; a group whose last process is just ending is busy for a moment. */
function removed(group: string): boolean {
  try {
    writeFileSync(path.join(group, 'cgroup.kill'), '1');
    for (const entry of readdirSync(group, { withFileTypes: true })) {
      if (entry.isDirectory() && !removed(path.join(group, entry.name))) return false;
    }
    rmdirSync(group);
    return true;
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'EBUSY') return false;
    throw cause;
  }
}
