import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { open } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import { missingTools } from '../../image/missing-tools.ts';
import { createFlashCommand } from '../../src/cli/flash-command.ts';
import { offeredDisks } from '../../src/flash/choose-disks.ts';
import { readDisks } from '../../src/flash/read-disks.ts';
import { runCommand } from './run-command.ts';
import { testImage } from './test-image.ts';
import { testSystem } from './test-system.ts';

const size = 16 * 1024 * 1024;
const virtual = 'virtual';

test('the system disk, whatever lies on it, read-only and unreal disks are never offered [I2]', async (t) => {
  const system = await testSystem(t, {
    disks: [
      { name: 'sda', sizeBytes: size },
      { name: 'nvme0n1', sizeBytes: size, on: 'pci0/nvme/nvme0', partitions: ['nvme0n1p1'] },
      {
        name: 'dm-0',
        sizeBytes: size,
        on: virtual,
        attributes: { 'slaves/nvme0n1p1': '', 'dm/name': 'root' },
      },
      { name: 'vda', sizeBytes: size, on: 'pci0/virtio1', partitions: ['vda1'] },
      { name: 'vdb', sizeBytes: size, on: 'pci0/virtio2' },
      { name: 'sdb', sizeBytes: size, on: 'pci0/ata1/host1', attributes: { 'holders/md0': '' } },
      { name: 'sdc', sizeBytes: size, attributes: { ro: '1' } },
      { name: 'sdd', sizeBytes: 0 },
      ...['loop0', 'zram0', 'ram0', 'sr0', 'mmcblk0boot0'].map((name) => ({
        name,
        sizeBytes: size,
        on: virtual,
      })),
    ],
    // The root is an overlay over dm-0: only the command line tells where it came from.
    mountinfo:
      '20 1 0:25 / / rw - overlay overlay rw\n21 20 8:49 / /media/my\\040stick rw - vfat /dev/vda1 rw\n',
    swaps: '/dev/vdb partition 1 0 -2\n',
    commandLine: 'quiet aw.root=/dev/mapper/root',
  });
  const { disks, bootDisk } = await readDisks(system.roots);
  assert.equal(bootDisk, 'nvme0n1');
  const uses = Object.fromEntries(
    disks.map((disk) => [disk.name, disk.uses.map(({ kind }) => kind).join(' ')]),
  );
  assert.deepEqual(uses, {
    nvme0n1: 'system',
    sda: '',
    sdb: 'holder',
    sdc: '',
    vda: 'mounted',
    vdb: 'system',
  });
  assert.deepEqual(
    offeredDisks(disks).map(({ name }) => name),
    ['sda', 'vda'],
  );
  const image = path.join(system.dir, 'image');
  await (await open(image, 'w')).close();
  await using handle = await open(image, 'r+');
  await handle.write(Buffer.alloc(4096, 1));
  const flash = createFlashCommand(system.roots);
  for (const [names, code, words] of [
    [['nvme0n1'], 'flash.system-disk', /started from dm-0/],
    [['vdb'], 'flash.system-disk', /swaps to vdb/],
    [['vda'], 'flash.mounted', /vda1 is mounted at \/media\/my stick.*umount '\/media\/my stick'/],
    [['sdb'], 'flash.in-use', /part of md0/],
    [['sdc'], 'flash.read-only', /lock switch/],
    [['vda1'], 'flash.not-a-disk', /whole disk: .*vda\b/],
    [['sdz'], 'flash.unknown-device', /There are: .*sda, .*vda/],
    [['sda', 'sda'], 'flash.named-twice', /named twice/],
    [['loop0'], 'flash.unknown-device', /no such disk/],
  ] as const) {
    const ran = await runCommand(flash, [image, ...names.map((name) => system.disk(name)), '--yes']);
    assert.equal(ran.code, 1, names.join());
    assert.ok(ran.err.includes(`${code}: `), `${names.join()}: ${ran.err}`);
    assert.match(ran.err, words);
  }
});

test('a list shows bus, model, serial and what is on each disk, and passes no control characters on [I2]', async (t) => {
  const system = await testSystem(t, {
    disks: [
      { name: 'sda', sizeBytes: size, attributes: { removable: '1' } },
      { name: 'mmcblk0', sizeBytes: size, on: 'soc/mmc_host/mmc0', attributes: { 'device/name': 'SD16G' } },
    ],
  });
  {
    await using handle = await open(system.disk('sda'), 'r+');
    await handle.write(testImage());
  }
  const { disks } = await readDisks(system.roots);
  const [card, stick] = disks;
  assert.deepEqual(
    [stick?.bus, stick?.removable, stick?.model, stick?.serial, stick?.content.table],
    ['usb', true, 'SanDisk Ultra', '4C53\ufffd[31m', 'gpt'],
  );
  assert.deepEqual(
    stick?.content.partitions.map(({ name }) => name),
    ['esp', 'slot-a', 'slot-b', 'config', 'data'],
  );
  assert.deepEqual([card?.bus, card?.model, card?.content.table], ['mmc', 'SD16G', 'none']);
  const { out } = await runCommand(createFlashCommand(system.roots), ['--list']);
  assert.match(out, /sda {2}16\.8 MB {2}usb {2}removable {2}SanDisk Ultra {2}serial 4C53/);
  assert.match(out, /partition 4 {2}1\.05 MB {2}unknown content {2}"config"/);
  assert.ok(!out.includes('\u001b'));
  const json = await runCommand(createFlashCommand(system.roots), ['--list', '--json']);
  assert.equal((JSON.parse(json.out) as { disks: unknown[] }).disks.length, 2);
});

const tools = missingTools(['mke2fs', 'mkfs.vfat', 'mksquashfs', 'mkswap']);
test('file systems and their labels are read from the bytes that the real tools wrote [I2]', {
  skip: tools.length > 0 && `not installed: ${tools.join(', ')}`,
}, async (t) => {
  const names = ['sda', 'sdb', 'sdc', 'sdd'];
  const system = await testSystem(t, { disks: names.map((name) => ({ name, sizeBytes: size })) });
  const [ext = '', fat = '', squash = '', swap = ''] = names.map((name) => system.disk(name));
  const run = (tool: string, ...args: string[]) => execFileSync(tool, args, { stdio: 'pipe' });
  run('mke2fs', '-q', '-F', '-t', 'ext4', '-L', 'autoweave-data', ext);
  run('mkfs.vfat', '-n', 'CONFIG', fat);
  run('mksquashfs', system.roots.proc, squash, '-noappend', '-quiet');
  run('mkswap', '-L', 'rest', swap);
  const { disks } = await readDisks(system.roots);
  assert.deepEqual(
    disks.map(({ content }) => [content.table, content.filesystem, content.label]),
    [
      ['none', 'ext4', 'autoweave-data'],
      ['none', 'vfat', 'CONFIG'],
      ['none', 'squashfs', null],
      ['none', 'swap', 'rest'],
    ],
  );
});
