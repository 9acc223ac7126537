import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { parsePolicy } from '../../src/policy/parse-policy.ts';
import { mockHost, umockdevDescription } from '../policy/mock-host.ts';
import { missing } from '../policy/usbguard-peer.ts';
import { tempDir } from '../support/temp-dir.ts';

const noPeer = missing('usbguard') ?? missing('umockdev-run') ?? false;
const main = path.join(import.meta.dirname, '../../src/supervisor/main.ts');

test('`usbguard generate-policy` and ours print the same rules and hashes for the same recorded host [U6]', {
  skip: noPeer,
}, async (t) => {
  const dir = await tempDir(t);
  const description = path.join(dir, 'host.umockdev');
  writeFileSync(description, umockdevDescription(mockHost()));
  const variants = ['', '-p', '-P', '-X', '-H', '-H -p', '-X -P', '-t reject', '-H -t block'];
  // One shell under umockdev for all: each start of it builds the whole tree.
  const script = variants.flatMap((options, index) => [
    `usbguard generate-policy ${options} >'${dir}/theirs.${index}' 2>'${dir}/noise.${index}'`,
    `"$NODE" '${main}' usb policy generate ${options} --sysfs "$UMOCKDEV_DIR/sys" >'${dir}/ours.${index}' 2>'${dir}/said.${index}'`,
  ]);
  execFileSync('umockdev-run', ['-d', description, '--', 'sh', '-ec', script.join('\n')], {
    env: { ...process.env, NODE: process.execPath },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  for (const [index, options] of variants.entries()) {
    const read = (name: string) =>
      readFileSync(path.join(dir, `${name}.${index}`), 'latin1')
        .trimEnd()
        .split('\n');
    const [ours, theirs] = [read('ours'), read('theirs')];
    assert.ok(theirs.length >= 17, `only ${theirs.length} rules from USBGuard`);
    assert.deepEqual(ours, theirs, `generate-policy ${options}`);
    const parsed = parsePolicy(Buffer.from(ours.join('\n'), 'latin1'));
    assert.ok(parsed.ok, 'our own output is refused');
  }
  const said = readFileSync(path.join(dir, 'said.0'), 'utf8');
  for (const [port, code] of [
    ['1-15', 'policy.device-string'],
    ['1-16', 'policy.descriptor-truncated'],
    ['1-17', 'policy.descriptor-order'],
  ])
    assert.match(said, new RegExp(`${port}: .*${code}.*always blocked`));
});
