// A small root with the appliance's scripts and busybox, in namespaces of its own: its kernel is real, its network is its own. For scripts
// that are root in the image, and may not touch this machine.
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { missingTools } from '../../image/missing-tools.ts';
import { tempDir } from './temp-dir.ts';
import type { Cleanup } from './with-cleanup.ts';

export interface ScriptRoom {
  /** Puts a file into the root. */
  write(file: string, text: string): void;
  /** A file of the root; null when it is not there. */
  read(file: string): string | null;
  /** Runs a script as root of the room, with a network that no other run has; what it leaves running ends with it. */
  run(script: string, environment?: Readonly<Record<string, string>>): string;
}

const busybox = '/usr/bin/busybox';
const limitMs = 240_000;
const ofRoot = ['--mount', '--net', '--uts', '--pid', '--fork', '--kill-child'];
const namespaces = ['--map-root-user', ...ofRoot];

/** The reason for skipping such tests on this machine, or false. */
export function whyNoScriptRoom(): string | false {
  const missing = missingTools(['busybox', 'unshare']);
  if (missing.length > 0) return `needs programs that are not installed: ${missing.join(', ')}`;
  // A program that needs libraries does not run in a root without them.
  const { status, stderr } = spawnSync(
    'unshare',
    [...namespaces, busybox, 'ip', 'link', 'add', 'aw0', 'type', 'veth'],
    { encoding: 'utf8' },
  );
  return status !== 0 && `this machine lets nobody make a network of his own: ${stderr.trim()}`;
}

/** The reason for skipping tests of a room that has a disk or other users, or false. */
export function whyNoRootRoom(): string | false {
  if (process.getuid?.() !== 0) return 'only root may mount a disk, and become another user';
  const missing = missingTools([
    'busybox',
    'unshare',
    'losetup',
    'ldd',
    'debugfs',
    'setpriv',
    ...diskPrograms,
  ]);
  if (missing.length > 0) return `needs programs that are not installed: ${missing.join(', ')}`;
  const { status, stderr } = spawnSync('losetup', ['--find'], { encoding: 'utf8' });
  return status !== 0 && `this machine has no loop devices: ${stderr.trim()}`;
}

/** dash: busybox's shell takes its own mke2fs. */
const diskPrograms = ['e2fsck', 'mke2fs', 'resize2fs', 'dash'] as const;

/**
 * With options it is entered as this machine's root.
 * @param options `disk`: a file that is /dev/vda5 there, which then has e2fsprogs and dash; `programs`: of this machine, in /bin there.
 */
export async function openScriptRoom(
  t: Cleanup,
  options?: { readonly disk?: string; readonly programs?: readonly string[] },
): Promise<ScriptRoom> {
  const { disk, programs = [] } = options ?? {};
  const root = await tempDir(t);
  const at = (file: string) => path.join(root, file);
  for (const folder of ['bin', 'dev', 'proc', 'run', 'sys', 'tmp']) mkdirSync(at(folder));
  cpSync('rootfs', root, { recursive: true });
  cpSync(busybox, at('bin/busybox'));
  const write: ScriptRoom['write'] = (file, text) => {
    mkdirSync(path.dirname(at(file)), { recursive: true });
    writeFileSync(at(file), text);
  };
  write('dev/null', '');
  write('dev/console', '');
  for (const name of [...programs, ...(disk === undefined ? [] : diskPrograms)]) addProgram(root, name);
  write('dev/vda5', '');
  // The kernel frees a loop device by itself once nobody has it open and nothing of it is mounted.
  const attach =
    disk === undefined
      ? ''
      : `
    # Somebody else may take the free one first.
    for _ in 1 2 3 4 5; do loop=$(losetup -f) && losetup "$loop" ${disk} && break; loop=; done
    [ -n "$loop" ] && exec 9<"$loop" && losetup -d "$loop" && mount --bind "$loop" ${root}/dev/vda5 || exit 98`;
  const enter = `
    mount -t proc proc ${root}/proc && mount --bind /dev/null ${root}/dev/null || exit 99
    ${attach}
    exec chroot ${root} /bin/busybox sh -c '/bin/busybox --install -s /bin; exec sh -e /tmp/script'`;
  return {
    write,
    read: (file) => (existsSync(at(file)) ? readFileSync(at(file), 'utf8') : null),
    run(script, environment = {}) {
      write('tmp/script', script);
      const { status, stderr, stdout } = spawnSync(
        'unshare',
        [...(options === undefined ? namespaces : ofRoot), busybox, 'sh', '-c', enter],
        {
          encoding: 'utf8',
          timeout: limitMs,
          env: { PATH: '/bin', ...environment },
        },
      );
      if (status !== 0) throw new Error(`${script}\nended with ${status}: ${stderr}\n${stdout}`);
      return stdout;
    },
  };
}

function addProgram(root: string, name: string): void {
  const program = execFileSync('which', [name], { encoding: 'utf8' }).trim();
  const libraries = execFileSync('ldd', [program], { encoding: 'utf8' }).match(/\/\S+/g) ?? [];
  copyProgram(program, path.join(root, 'bin', name));
  for (const file of libraries) copyProgram(file, path.join(root, file));
}

/** What links lead to, under this name. */
function copyProgram(from: string, to: string): void {
  mkdirSync(path.dirname(to), { recursive: true });
  writeFileSync(to, readFileSync(from), { mode: 0o755 });
}
