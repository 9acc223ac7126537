// The script that divides the cgroups of the image, on files in their place: what the kernel does by them is shown by the guests.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { suite, test } from 'node:test';
import { openScriptRoom, whyNoScriptRoom } from '../support/script-room.ts';

const edge = '/sys/fs/cgroup/edge';
const files = ['cgroup.procs', 'cgroup.threads', 'cgroup.subtree_control'];

suite('the cgroups of the image', { skip: whyNoScriptRoom() }, () => {
  test('all plugins together have half of the memory, by a limit that only root may change [P6]', async (t) => {
    const room = await openScriptRoom(t);
    room.write('etc/passwd', 'root:x:0:0::/:/bin/sh\nautoweave:x:0:0::/:/bin/sh\n');
    room.write('etc/group', 'root:x:0:\nautoweave:x:0:\n');
    for (const group of ['', '/main', '/plugins'])
      for (const file of files) room.write(`${edge}${group}/${file}`, '');
    const [, kib] = /^MemTotal: +(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8')) ?? [];
    room.run(`
      ebegin() { :; }
      eend() { return "$1"; }
      . /etc/init.d/cgroups
      chown() { echo "$*" >>/tmp/handed; }
      start
    `);
    assert.equal(room.read(`${edge}/plugins/memory.max`), `${Number(kib) * 512}\n`);
    assert.doesNotMatch(room.read('tmp/handed') ?? 'nothing', /memory|nothing/);
  });

  test('a limit of the plugins together that cannot be set is a failure of the script [P6]', async (t) => {
    const room = await openScriptRoom(t);
    room.write(`${edge}/plugins/memory.max/not-a-file`, '');
    const code = room.run(`
      ebegin() { :; }
      eend() { echo "$1"; }
      chown() { :; }
      . /etc/init.d/cgroups
      start 2>/dev/null
    `);
    assert.equal(code, '1\n');
  });
});
