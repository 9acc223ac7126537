// Cgroups where this machine hands none down: the same files in a folder, and what is made of their being there or not.
import assert from 'node:assert/strict';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import { findBranch } from '../../src/plugins/cgroup/find-branch.ts';
import { openLeaf } from '../../src/plugins/cgroup/open-leaf.ts';
import { tempDir } from '../support/temp-dir.ts';

test('a leaf that its remover has taken away meanwhile is empty for who wants it killed, and gone for who wants it removed [P10]', async (t) => {
  const leaf = await openLeaf(await tempDir(t), 'probe', []);
  await rm(leaf.dir, { recursive: true });
  await leaf.kill();
  await leaf.remove();
});

test('what keeps a leaf from being killed is told [P10]', async (t) => {
  const leaf = await openLeaf(await tempDir(t), 'probe', []);
  await mkdir(path.join(leaf.dir, 'cgroup.kill'));
  await assert.rejects(leaf.kill(), /EISDIR/);
});

test('a kernel that cannot end a whole group at once has no branch for plugins [P5, P10]', async (t) => {
  const root = await tempDir(t);
  const membership = path.join(root, 'own');
  await writeFile(membership, '0::/edge/main\n');
  const [edge, plugins] = [path.join(root, 'edge'), path.join(root, 'edge/plugins')];
  await mkdir(plugins, { recursive: true });
  await mkdir(path.join(edge, 'main'));
  for (const folder of [edge, plugins]) await writeFile(path.join(folder, 'cgroup.procs'), '');
  await writeFile(path.join(plugins, 'cgroup.subtree_control'), 'cpu memory pids\n');
  const before = await findBranch(root, membership);
  assert.match(before.ok ? 'found' : before.why, /5\.14/);
  await writeFile(path.join(plugins, 'cgroup.kill'), '');
  assert.deepEqual(await findBranch(root, membership), { ok: true, dir: plugins });
});
