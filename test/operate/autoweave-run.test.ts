// The launcher of the systemd unit, in a real cgroup that belongs to an unprivileged user, as systemd delegates one.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chownSync, mkdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { tempDir } from '../support/temp-dir.ts';

const script = path.resolve('systemd/autoweave-run');
const NOBODY = 65_534;

test('without a delegated cgroup the runtime starts all the same, and it is said what that costs [I6]', async (t) => {
  const { status, stdout, stderr } = spawnSync(
    script,
    ['sh', '-c', 'echo "$1"; printenv AUTOWEAVE_CGROUP_ROOT || echo unset', 'x', 'a b'],
    {
      encoding: 'utf8',
      env: { ...process.env, AUTOWEAVE_CGROUP_ROOT: await tempDir(t) },
    },
  );
  assert.equal(stdout, 'a b\nunset\n');
  assert.match(stderr, /^autoweave-run: no cgroup was delegated \(.*\); plugins will not start\n$/);
  assert.equal(status, 0);
});

test('in a delegated cgroup the runtime is in main, beside a place for plugins, without being root [I6]', (t) => {
  const [, mount] = /^\S+ (\S+) cgroup2 rw/m.exec(readFileSync('/proc/mounts', 'utf8')) ?? [];
  if (mount === undefined) return t.skip('no cgroup v2 is mounted writable');
  if (process.getuid?.() !== 0) return t.skip('a cgroup can be handed over by root alone');
  const name = `autoweave-test-${process.pid}`;
  const branch = path.join(mount, name);
  mkdirSync(branch);
  t.after(() => {
    for (const one of ['main', 'plugins', '']) rmdirSync(path.join(branch, one));
  });
  for (const file of ['', 'cgroup.procs', 'cgroup.subtree_control', 'cgroup.threads']) {
    chownSync(path.join(branch, file), NOBODY, NOBODY);
  }
  // A copy: an unprivileged user may not get to the folder of this checkout.
  const copy = path.join('/tmp', `${name}.sh`);
  writeFileSync(copy, readFileSync(script), { mode: 0o755 });
  t.after(() => spawnSync('rm', ['-f', copy]));
  const drop = ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'];
  const { status, stdout, stderr } = spawnSync(
    'sh',
    ['-c', `echo $$ >${branch}/cgroup.procs && exec "$@"`, 'sh', ...drop, copy, 'cat', '/proc/self/cgroup'],
    { encoding: 'utf8', cwd: '/', env: { ...process.env, AUTOWEAVE_CGROUP_ROOT: mount } },
  );
  assert.equal(status, 0, stderr);
  assert.match(stdout, new RegExp(`^0::/${name}/main$`, 'm'));
  const handedDown = readFileSync(path.join(branch, 'cgroup.subtree_control'), 'utf8').trim().split(' ');
  const missing = ['cpu', 'memory', 'pids', 'io'].filter((one) => !handedDown.includes(one));
  if (missing.length === 0) assert.equal(stderr, '');
  else assert.match(stderr, new RegExp(`cannot be handed down:.* ${missing[0]}.*plugins that need them`));
});

test('in a delegated cgroup all plugins together have half of the memory [I6]', async (t) => {
  const root = await tempDir(t);
  const [, own = '/'] = /^0::(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8')) ?? [];
  const branch = path.join(root, own);
  mkdirSync(branch, { recursive: true });
  writeFileSync(path.join(branch, 'cgroup.procs'), '');
  const run = () =>
    spawnSync(script, ['true'], {
      encoding: 'utf8',
      env: { ...process.env, AUTOWEAVE_CGROUP_ROOT: root },
    });
  assert.deepEqual([run().status, run().stderr], [0, '']);
  const [, kib] = /^MemTotal: +(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8')) ?? [];
  const limit = path.join(branch, 'plugins/memory.max');
  assert.equal(readFileSync(limit, 'utf8'), `${Number(kib) * 512}\n`);
  rmSync(limit);
  mkdirSync(limit);
  const { status, stderr } = run();
  assert.deepEqual([status, stderr], [0, 'autoweave-run: the plugins together have no limit of memory\n']);
});
