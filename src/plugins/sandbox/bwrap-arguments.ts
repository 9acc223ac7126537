// What a plugin's process may see -> the arguments of bubblewrap. Pure; every option says less, never more.
import type { RuntimeFiles } from './runtime-files.ts';

export interface SandboxView {
  readonly runtime: RuntimeFiles;
  /** Folder outside with the host's own source; /host inside. */
  readonly hostDir: string;
  /** Folder outside with the plugin's code and assets; /plugin inside. */
  readonly pluginDir: string;
  readonly tmpBytes: number;
  /** Descriptor of the seccomp program. */
  readonly seccompFd: number;
}

/** Fixed numbers that belong to nobody outside: the sandbox has a user namespace of its own. */
const UID = '65534';

export function bwrapArguments(view: SandboxView): readonly string[] {
  const { runtime, hostDir, pluginDir, seccompFd, tmpBytes } = view;
  return [
    ...['--unshare-user', '--unshare-pid', '--unshare-net', '--unshare-ipc', '--unshare-uts'],
    // The path of the leaf is nobody's business inside.
    '--unshare-cgroup-try',
    ...['--uid', UID, '--gid', UID, '--hostname', 'plugin'],
    // The daemon's end is theirs; a terminal of the daemon is not.
    ...['--die-with-parent', '--new-session', '--cap-drop', 'ALL', '--clearenv'],
    // First, because Node itself may lie below the other /tmp.
    ...['--size', String(tmpBytes), '--tmpfs', '/tmp'],
    ...runtime.binds.flatMap(([from, to]) => ['--ro-bind', from, to]),
    ...['--ro-bind', hostDir, '/host', '--ro-bind', pluginDir, '/plugin'],
    ...['--proc', '/proc', '--dev', '/dev'],
    // Shared memory would be a second place to fill.
    ...['--remount-ro', '/dev', '--remount-ro', '/'],
    ...['--chdir', '/tmp', '--seccomp', String(seccompFd)],
  ];
}
