import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { joinLeaf } from '../../src/plugins/sandbox/launch-host.ts';
import { tempDir } from '../support/temp-dir.ts';

test('a plugin is the first to go when the machine runs out of memory, and its daemon is not [P6]', async (t) => {
  const leaf = await tempDir(t);
  writeFileSync(path.join(leaf, 'cgroup.procs'), '');
  const { stdout, stderr, status } = spawnSync(
    '/bin/sh',
    ['-c', joinLeaf, leaf, 'cat', '/proc/self/oom_score_adj'],
    { encoding: 'utf8' },
  );
  assert.deepEqual([stdout, status], ['1000\n', 0], stderr);
  for (const file of ['rootfs/etc/init.d/autoweave', 'rootfs/etc/init.d/redis'])
    assert.match(readFileSync(file, 'utf8'), /^ {2}echo -500 >\/proc\/\$\$\/oom_score_adj$/m);
  for (const file of ['systemd/autoweave.service', 'systemd/autoweave-redis.service'])
    assert.match(readFileSync(file, 'utf8'), /^OOMScoreAdjust=-500$/m);
});
