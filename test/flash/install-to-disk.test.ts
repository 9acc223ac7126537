import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import test, { type TestContext } from 'node:test';
import { createInstallToDiskCommand } from '../../src/cli/install-to-disk-command.ts';
import { parsePartitionTable } from '../../src/flash/parse-partition-table.ts';
import { runCommand } from './run-command.ts';
import { imageBytes, testImage } from './test-image.ts';
import { testSystem } from './test-system.ts';

const mebibyte = 1024 * 1024;

test('the booted stick is found, and all but its data partition is copied to a smaller internal disk [I2]', async (t) => {
  const sizeBytes = 13 * mebibyte;
  const { system, image } = await booted(t, sizeBytes);
  const ran = await runCommand(createInstallToDiskCommand(system.roots), [], ['1', 'yes']);
  assert.equal(ran.code, 0, ran.err);
  assert.ok(!/^ +\d {2}.*sda/m.test(ran.err), 'the stick itself is not on the list');
  assert.match(ran.err, /Shut down and pull .*sda/);
  const written = await readFile(system.disk('nvme0n1'));
  assert.ok(written.subarray(mebibyte, 12 * mebibyte).equals(image.subarray(mebibyte, 12 * mebibyte)));
  const verdict = parsePartitionTable({ head: written.subarray(0, mebibyte), sizeBytes, blockBytes: 512 });
  assert.ok(verdict.ok && verdict.table?.kind === 'gpt');
  assert.deepEqual(
    verdict.table.partitions.map(({ name }) => name),
    ['esp', 'slot-a', 'slot-b', 'config'],
  );
  assert.equal(verdict.table.backupBlock, sizeBytes / 512 - 1);
  // Stick and disk may stay in one computer: no two of all the ids are the same.
  const original = parsePartitionTable({
    head: image.subarray(0, mebibyte),
    sizeBytes: image.length,
    blockBytes: 512,
  });
  assert.ok(original.ok && original.table?.kind === 'gpt');
  const ids = [verdict.table, original.table].flatMap(({ diskId, partitions }) => [
    diskId,
    ...partitions.map(({ id }) => id),
  ]);
  assert.equal(new Set(ids).size, ids.length);
});

test('the boot disk itself and a disk that the slots do not fit are refused before writing [I2]', async (t) => {
  const { system, image } = await booted(t, 12 * mebibyte);
  const install = createInstallToDiskCommand(system.roots);
  for (const [name, code] of [
    ['sda', 'flash.system-disk'],
    ['nvme0n1', 'flash.too-small'],
  ] as const) {
    const ran = await runCommand(install, [system.disk(name), '--yes']);
    assert.equal(ran.code, 1);
    assert.match(ran.err, new RegExp(`^${code}: `, 'm'));
  }
  assert.ok((await readFile(system.disk('sda'))).equals(image));
  assert.ok((await readFile(system.disk('nvme0n1'))).every((byte) => byte === 0xa5));
  assert.equal((await runCommand(install, ['/dev/a', '/dev/b'])).code, 2);
});

test('a system whose boot disk cannot be told says so [I2]', async (t) => {
  const system = await testSystem(t, { disks: [{ name: 'sda', sizeBytes: mebibyte }], commandLine: 'quiet' });
  const ran = await runCommand(createInstallToDiskCommand(system.roots), ['--yes']);
  assert.equal(ran.code, 1);
  assert.match(ran.err, /^flash\.boot-disk-unknown: .* `autoweave flash`/);
});

async function booted(t: TestContext, internalBytes: number) {
  const image = testImage();
  const verdict = parsePartitionTable({ head: image, sizeBytes: imageBytes, blockBytes: 512 });
  assert.ok(verdict.ok && verdict.table?.kind === 'gpt');
  const system = await testSystem(t, {
    disks: [
      { name: 'nvme0n1', sizeBytes: internalBytes, on: 'pci0/nvme/nvme0', fill: 0xa5 },
      { name: 'sda', sizeBytes: imageBytes },
    ],
    mountinfo: '20 1 0:25 / / rw - overlay overlay rw\n',
    commandLine: `quiet aw.disk=PARTUUID=${verdict.table.partitions[1]?.id?.toUpperCase()}`,
  });
  await writeFile(system.disk('sda'), image);
  return { system, image };
}
