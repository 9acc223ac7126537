// A small root with the appliance's scripts and busybox, in namespaces of its own: its kernel is real, its network is its own. For scripts
// that are root in the image, and may not touch this machine.
import { spawnSync } from 'node:child_process';
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
const namespaces = ['--map-root-user', '--mount', '--net', '--pid', '--fork', '--kill-child'];

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

export async function openScriptRoom(t: Cleanup): Promise<ScriptRoom> {
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
  const enter = `
    mount -t proc proc ${root}/proc && mount --bind /dev/null ${root}/dev/null || exit 99
    exec chroot ${root} /bin/busybox sh -c '/bin/busybox --install -s /bin; exec sh -e /tmp/script'`;
  return {
    write,
    read: (file) => (existsSync(at(file)) ? readFileSync(at(file), 'utf8') : null),
    run(script, environment = {}) {
      write('tmp/script', script);
      const { status, stderr, stdout } = spawnSync('unshare', [...namespaces, busybox, 'sh', '-c', enter], {
        encoding: 'utf8',
        timeout: limitMs,
        env: { PATH: '/bin', ...environment },
      });
      if (status !== 0) throw new Error(`${script}\nended with ${status}: ${stderr}\n${stdout}`);
      return stdout;
    },
  };
}
