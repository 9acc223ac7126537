// The filter as a program of the real kernel: bubblewrap loads it, Node runs under it, and what it must not do fails.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { openSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { bwrapArguments } from '../../src/plugins/sandbox/bwrap-arguments.ts';
import { readRuntimeFiles } from '../../src/plugins/sandbox/runtime-files.ts';
import { seccompFilter } from '../../src/plugins/sandbox/seccomp-filter.ts';
import { tempDir } from '../support/temp-dir.ts';

function whyNot(): string | false {
  const { status, stderr } = spawnSync(
    'bwrap',
    ['--unshare-user', '--unshare-pid', '--ro-bind', '/', '/', 'true'],
    nobody(),
  );
  return status === 0
    ? false
    : `bubblewrap cannot make namespaces here: ${stderr?.toString().trim() ?? 'it is not installed'}`;
}

/** Never as root: bubblewrap started by root keeps too much. */
function nobody() {
  return process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
}

test('the filter is as long as it was counted to be, and there is none for a processor without a table [P5]', () => {
  assert.ok((seccompFilter('x64')?.length ?? 0) <= 8 * 160);
  assert.ok((seccompFilter('arm64')?.length ?? 0) > 0);
  assert.equal(seccompFilter('mips'), null);
});

test('in the sandbox Node runs, and no socket, second process, namespace, key or foreign file can be had [P5]', {
  skip: whyNot(),
}, async (t) => {
  const dir = await tempDir(t);
  execFileSync('chmod', ['755', dir]);
  const filter = path.join(dir, 'seccomp');
  writeFileSync(filter, seccompFilter(process.arch) ?? new Uint8Array());
  const runtime = await readRuntimeFiles();
  const view = { runtime, hostDir: dir, pluginDir: dir, tmpBytes: 1 << 20, seccompFd: 3 };
  const probe = `
    const { spawnSync } = require('node:child_process');
    const fs = require('node:fs');
    const said = {};
    said.spawn = spawnSync(process.execPath, ['-v'], { stdio: 'ignore' }).error?.code ?? 'ran';
    said.passwd = (() => { try { return fs.readFileSync('/etc/passwd', 'utf8'); } catch (e) { return e.code; } })();
    said.tmp = (() => { try { fs.writeFileSync('/tmp/x', Buffer.alloc(2 << 20)); return 'wrote'; } catch (e) { return e.code; } })();
    said.root = (() => { try { fs.writeFileSync('/x', ''); return 'wrote'; } catch (e) { return e.code; } })();
    said.pids = fs.readdirSync('/proc').filter((n) => /^\\d+$/.test(n)).length;
    said.kill = (() => { try { process.kill(1, 0); return 'may'; } catch (e) { return e.code; } })();
    said.environment = Object.keys(process.env).filter((n) => n !== 'PWD');
    require('node:net').connect(1, '127.0.0.1').on('error', (e) => { said.connect = e.code; print(); });
    const print = () => { new (require('node:worker_threads').Worker)('1', { eval: true }).on('exit', () => { said.worker = 'ran'; fs.writeSync(1, JSON.stringify(said)); }); };
  `;
  const { stderr, stdout } = spawnSync('bwrap', [...bwrapArguments(view), '--', runtime.node, '-e', probe], {
    ...nobody(),
    env: { SECRET: 'x' },
    stdio: ['ignore', 'pipe', 'pipe', openSync(filter, 'r')],
  });
  const said = JSON.parse(
    stdout.toString() || `{"nothing":${JSON.stringify(stderr.toString())}}`,
  ) as Readonly<Record<string, unknown>>;
  assert.deepEqual(said, {
    spawn: 'EPERM',
    passwd: 'ENOENT',
    tmp: 'ENOSPC',
    root: 'EROFS',
    pids: 2,
    kill: 'ENOSYS',
    environment: [],
    connect: 'ENOSYS',
    worker: 'ran',
  });
});
