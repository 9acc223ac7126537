import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { daemonNodeFlags } from '../../src/lib/daemon-node-flags.ts';

test('whatever starts the daemon gives Node the same bounds of memory [Q1]', () => {
  for (const starter of [
    'rootfs/etc/init.d/autoweave',
    'systemd/autoweave.service',
    'image/oci-layer/usr/lib/autoweave/container',
  ]) {
    const [line] =
      readFileSync(starter, 'utf8').match(/^.*autoweave\.mjs daemon.*$/m) ??
      assert.fail(`${starter} starts none`);
    assert.ok(
      line.includes(` ${daemonNodeFlags.join(' ')} `) || line.includes(`'${daemonNodeFlags.join(' ')} `),
      line,
    );
  }
});
