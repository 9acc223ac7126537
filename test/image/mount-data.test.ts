// What becomes of the data partition at the start, with a real file system on a loop device. The guests show the same from the
// firmware on (data-partition.test.ts).
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, open, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { suite, test } from 'node:test';
import { openScriptRoom, whyNoRootRoom } from '../support/script-room.ts';
import { tempDir } from '../support/temp-dir.ts';
import type { Cleanup } from '../support/with-cleanup.ts';

const superblocks = [0, 1, 2].map((group) => group * 32_768 * 4_096);

async function makeDisk(t: Cleanup) {
  const dir = await tempDir(t);
  const file = path.join(dir, 'disk.img');
  const content = path.join(dir, 'content');
  await mkdir(content);
  await writeFile(path.join(content, 'marker'), 'kept\n');
  execFileSync('mke2fs', ['-q', '-t', 'ext4', '-b', '4096', '-d', content, file, '300M']);
  const room = await openScriptRoom(t, { disk: file });
  // One partition that fills its disk.
  room.write('sys/class/block/vda/size', '614400\n');
  const partition = { start: '0\n', size: '614400\n', uevent: 'PARTNAME=autoweave-data\n' };
  for (const [name, text] of Object.entries(partition)) room.write(`sys/class/block/vda/vda5/${name}`, text);
  return {
    /** Its superblock says that it needs what no e2fsck knows, until the returned function is called. */
    async estrange() {
      const superblock = await read(file, 4_096);
      execFileSync('debugfs', ['-w', '-R', 'feature FEATURE_I31', file], { stdio: 'pipe' });
      return () => write(file, superblock, [0]);
    },
    wipe: (places: readonly number[]) => write(file, Buffer.alloc(65_536), places),
    /** As at a start: what /var then is, its marker, and what was said since. */
    start(before = '') {
      const said =
        room.run(`set +e; rm -rf /run/autoweave-boot; mkdir /run/autoweave-boot; echo vda >/run/autoweave-boot/disk
        rm -rf /var; mkdir /var; ${before}
        dash /usr/lib/autoweave/mount-data
        grep -q ' /var ' /proc/mounts && echo mounted || echo in memory; cat /var/marker 2>/dev/null; umount /var 2>/dev/null; :`);
      return {
        said: said.trim().split('\n'),
        codes: (room.read('run/autoweave-boot/notes') ?? '')
          .split('\n')
          .slice(0, -1)
          .map((line) => line.split('\t').slice(1, 3).join(' ')),
        unused: room.read('run/autoweave-boot/data-unused'),
      };
    },
  };
}

async function read(file: string, length: number): Promise<Buffer> {
  await using handle = await open(file);
  return (await handle.read(Buffer.alloc(length), 0, length, 0)).buffer;
}

async function write(file: string, bytes: Buffer, places: readonly number[]): Promise<void> {
  await using handle = await open(file, 'r+');
  for (const at of places) await handle.write(bytes, 0, bytes.length, at);
}

suite('the data partition at the start', { skip: whyNoRootRoom() }, () => {
  test('a whole one is mounted, and a lost superblock is restored from its copy [I3]', async (t) => {
    const disk = await makeDisk(t);
    assert.deepEqual(disk.start(), { said: ['mounted', 'kept'], codes: [], unused: null });
    await disk.wipe(superblocks.slice(0, 1));
    assert.deepEqual(disk.start(), { said: ['mounted', 'kept'], codes: ['data repaired'], unused: null });
  });

  test('one without any superblock is made anew [I3]', async (t) => {
    const disk = await makeDisk(t);
    await disk.wipe(superblocks);
    assert.deepEqual(disk.start(), { said: ['mounted'], codes: ['data remade'], unused: null });
  });

  test('after a fault that may pass it is left as it is: what was stored is there again once the fault is gone [I3]', async (t) => {
    const disk = await makeDisk(t);
    const unused = '/dev/vda5\n';
    // e2fsck ends with 8, as after an error of the disk.
    const reconcile = await disk.estrange();
    assert.deepEqual(disk.start(), { said: ['in memory'], codes: ['data unusable'], unused });
    await reconcile();
    assert.deepEqual(disk.start(), { said: ['mounted', 'kept'], codes: [], unused: null });
    // A clean check, and then no mount.
    assert.deepEqual(disk.start('rmdir /var; touch /var;'), {
      said: ['in memory'],
      codes: ['data unusable'],
      unused,
    });
    assert.deepEqual(disk.start(), { said: ['mounted', 'kept'], codes: [], unused: null });
  });
});
