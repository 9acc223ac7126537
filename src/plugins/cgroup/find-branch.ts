// The part of the cgroup tree that was handed to this process: where a plugin's leaf may be made. Read only.
import { access, constants, readFile } from 'node:fs/promises';
import path from 'node:path';
import { errorText } from '../../lib/error-text.ts';

const ROOT = '/sys/fs/cgroup';

export type Branch =
  | { readonly ok: true; readonly dir: string }
  | { readonly ok: false; readonly why: string };

/**
 * `plugins`, beside the `main` in which this process runs: what rootfs/etc/init.d/cgroups and systemd/autoweave-run
 * prepare. The reason when there is none.
 */
export async function findBranch(root = ROOT, membership = '/proc/self/cgroup'): Promise<Branch> {
  let own: string | undefined;
  try {
    own = /^0::(.*)$/m.exec(await readFile(membership, 'utf8'))?.[1];
  } catch (cause) {
    return { ok: false, why: `${membership} cannot be read: ${errorText(cause)}` };
  }
  if (own === undefined) return { ok: false, why: 'this kernel has no unified cgroup tree (cgroup v2)' };
  if (own === '/') return { ok: false, why: 'no branch of the cgroup tree was delegated to this process' };
  const dir = path.join(root, own, '..', 'plugins');
  try {
    await access(path.join(dir, 'cgroup.procs'), constants.W_OK);
    await access(path.join(root, own, '..', 'cgroup.procs'), constants.W_OK);
  } catch {
    return { ok: false, why: `no branch was delegated: ${dir} is not there or not writable` };
  }
  try {
    // Its being there is enough: this one is root's, and those of the leaves are their maker's.
    await access(path.join(dir, 'cgroup.kill'));
  } catch {
    return { ok: false, why: 'this kernel cannot end a whole group at once; Linux 5.14 or newer can' };
  }
  const missing = await missingControllers(dir);
  return missing.length === 0
    ? { ok: true, dir }
    : { ok: false, why: `${dir} hands down no controller ${missing.join(', ')}` };
}

async function missingControllers(dir: string): Promise<readonly string[]> {
  const enabled = (await readFile(path.join(dir, 'cgroup.subtree_control'), 'utf8')).trim().split(' ');
  return ['cpu', 'memory', 'pids'].filter((controller) => !enabled.includes(controller));
}
