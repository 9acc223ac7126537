// Every shell script of the appliance under shellcheck: a mistake in an init script shows late, on a box nobody stands beside.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { globSync, readFileSync, statSync } from 'node:fs';
import test from 'node:test';

const scripts = globSync([
  'rootfs/**/*',
  'image/oci-layer/**/*',
  'systemd/*',
  'image/initramfs/*',
  'image/base/*-layer/**/*',
  'test/image/layer/**/*',
  'test/support/*.sh',
]).filter((file) => statSync(file).isFile() && /^#!\S*\/(sh|openrc-run|busybox sh)$/m.test(firstLine(file)));
// What OpenRC itself reads in its scripts.
const excluded = 'SC2034';

test('shellcheck has nothing to say about the scripts of the appliance [Q4]', (t) => {
  const { status, stdout, error } = spawnSync(
    'shellcheck',
    ['--shell=sh', '--format=gcc', `--exclude=${excluded}`, ...scripts],
    { encoding: 'utf8' },
  );
  if (error !== undefined && 'code' in error && error.code === 'ENOENT')
    return t.skip('shellcheck is not installed');
  assert.ok(scripts.length >= 10, `only ${scripts.length} scripts were found: the test itself is broken`);
  assert.equal(stdout, '');
  assert.equal(status, 0);
});

function firstLine(file: string): string {
  return readFileSync(file, 'latin1').split('\n', 1)[0] ?? '';
}
