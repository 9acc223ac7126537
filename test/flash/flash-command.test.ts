import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, appendFile, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { missingTools } from '../../image/missing-tools.ts';
import { createFlashCommand } from '../../src/cli/flash-command.ts';
import type { FlashOptions } from '../../src/flash/flash-disks.ts';
import type { Medium } from '../../src/flash/medium.ts';
import { openMedium } from '../../src/flash/open-medium.ts';
import { parsePartitionTable } from '../../src/flash/parse-partition-table.ts';
import { runCommand } from './run-command.ts';
import { flipByte, imageBytes, testImage } from './test-image.ts';
import { type TestSystem, testSystem } from './test-system.ts';

const mebibyte = 1024 * 1024;
const untouched = 0xa5;

test('raw, gzip, zstd and xz images, also of many frames, are on the disk byte for byte [I7]', async (t) => {
  const { system, image } = await sticks(t, { sda: imageBytes });
  const half = imageBytes / 2;
  for (const [name, bytes] of [
    ['image', image],
    ['image.gz', gzipSync(image, { level: 1 })],
    ['image.zst', zstdCompressSync(image)],
    ['image.xz', xzCompressed(image)],
    [
      'frames.zst',
      Buffer.concat([zstdCompressSync(image.subarray(0, half)), zstdCompressSync(image.subarray(half))]),
    ],
  ] as const) {
    const file = await put(system, name, bytes);
    const ran = await runCommand(createFlashCommand(system.roots), [file, system.disk('sda'), '--yes']);
    assert.equal(ran.code, 0, ran.err);
    assert.match(ran.out, /^done: .*sda {2}16\.8 MB written, read back and equal, in /);
    assert.ok((await readFile(system.disk('sda'))).equals(image), name);
    await writeFile(system.disk('sda'), Buffer.alloc(imageBytes, untouched));
  }
});

const noSfdisk = missingTools(['sfdisk']).length > 0 && 'sfdisk (fdisk) is not installed';
test('on larger disks the backup partition table moves to the end, and sfdisk finds no fault [I7]', {
  skip: noSfdisk,
}, async (t) => {
  // One block more: the old backup table and the new one overlap.
  const sizes = { sda: imageBytes, sdb: imageBytes + 512, sdc: imageBytes + 16_896, sdd: 20 * mebibyte };
  const { system, image, file } = await sticks(t, sizes);
  const ran = await runCommand(createFlashCommand(system.roots), [
    file,
    ...Object.keys(sizes).map((name) => system.disk(name)),
    ...['--yes', '--json'],
  ]);
  assert.equal(ran.code, 0, ran.out + ran.err);
  const { results } = JSON.parse(ran.out) as { results: { ok: boolean; comparedBytes: number }[] };
  assert.deepEqual(
    results.map(({ ok, comparedBytes }) => [ok, comparedBytes]),
    Object.values(sizes).map((size) => [true, Math.min(size, imageBytes + mebibyte)]),
  );
  assert.match(ran.err, /^\{"progress":"compare".*"secondsLeft":0\}$/m);
  for (const [name, sizeBytes] of Object.entries(sizes)) {
    assert.match(
      execFileSync('sfdisk', ['--verify', system.disk(name)], { stdio: 'pipe' }).toString(),
      /No errors detected/,
    );
    const written = await readFile(system.disk(name));
    const verdict = parsePartitionTable({ head: written.subarray(0, mebibyte), sizeBytes, blockBytes: 512 });
    assert.ok(verdict.ok && verdict.table?.kind === 'gpt');
    assert.equal(verdict.table.backupBlock, sizeBytes / 512 - 1);
    assert.equal(written.toString('latin1', sizeBytes - 512, sizeBytes - 504), 'EFI PART');
    assert.ok(written.subarray(mebibyte, 15 * mebibyte).equals(image.subarray(mebibyte, 15 * mebibyte)));
  }
});

test('one changed byte is found with its offset, and the other disk of the same command is done [I7]', async (t) => {
  for (const offset of [5, 3 * mebibyte + 17, 10 * mebibyte + 4_097, 20 * mebibyte - 700]) {
    const { system, file } = await sticks(t, { sda: 20 * mebibyte, sdb: 20 * mebibyte });
    const flash = createFlashCommand(system.roots, forgetful(system, 'sda', offset));
    const ran = await runCommand(flash, [file, system.disk('sda'), system.disk('sdb'), '--yes']);
    assert.equal(ran.code, 1);
    assert.match(
      ran.err,
      new RegExp(`flash\\.read-back-differs: compare .*/sda: .* first at byte ${offset}\\. `),
    );
    assert.match(ran.out, /^done: .*sdb [^\n]*\n$/);
  }
});

test('a disk that is gone in the middle fails with that reason and has no partition table [I7]', async (t) => {
  const { system, file } = await sticks(t, { sda: imageBytes, sdb: imageBytes });
  const flash = createFlashCommand(system.roots, async (disk, roots) => {
    const medium = await openMedium(disk, roots);
    if (disk.name !== 'sda') return medium;
    return {
      ...medium,
      async write(bytes, position) {
        if (position >= 8 * mebibyte) {
          // The kernel forgets the disk and every later access is EIO: here the file's own descriptor fails.
          await rm(path.join(roots.sys, 'block/sda'), { force: true });
          await medium.close().catch(() => undefined);
        }
        return medium.write(bytes, position);
      },
    };
  });
  const ran = await runCommand(flash, [file, system.disk('sda'), system.disk('sdb'), '--yes']);
  assert.equal(ran.code, 1);
  assert.match(ran.err, /flash\.device-vanished: write at byte 8388608 on .*sda: the disk was pulled/);
  assert.match(ran.out, /^done: .*sdb/);
  const head = (await readFile(system.disk('sda'))).subarray(0, 4 * mebibyte);
  assert.ok(head.every((byte) => byte === 0));
});

test('what is wrong with the image or the disk is said before the first byte is written [I7]', async (t) => {
  const { system, image } = await sticks(t, { sda: imageBytes, sdb: 15 * mebibyte, sdc: imageBytes });
  const packed = zstdCompressSync(image);
  const unzipped = gzipSync(image, { level: 1 });
  const xz = xzCompressed(image);
  const files: Readonly<Record<string, Buffer>> = {
    good: image,
    'cut.zst': packed.subarray(0, packed.length - 9),
    'cut.gz': unzipped.subarray(0, unzipped.length >> 1),
    cut: image.subarray(0, 14 * mebibyte),
    'noise.zst': Buffer.concat([packed, Buffer.from('no frame')]),
    empty: Buffer.alloc(0),
    zip: Buffer.from('504b030400000000', 'hex'),
    'cut.xz': xz.subarray(0, xz.length >> 1),
    'noise.xz': Buffer.concat([xz.subarray(0, 64), Buffer.alloc(xz.length - 64, 7)]),
  };
  for (const [name, bytes] of Object.entries(files)) await put(system, name, bytes);
  const flipped = Buffer.from(unzipped);
  flipped.writeUInt8(flipped.readUInt8(9_000) ^ 1, 9_000);
  await put(system, 'flipped.gz', flipped);
  await put(system, 'wrong', image);
  await put(system, 'wrong.sha256', Buffer.from(`${'0'.repeat(64)}  wrong\n`));
  const sum = createHash('sha256').update(image).digest('hex');
  for (const [args, code] of [
    [['cut.zst'], 'flash.image-truncated'],
    [['cut.gz'], 'flash.image-truncated'],
    [['cut'], 'flash.table-damaged'],
    [['noise.zst'], 'flash.image-damaged'],
    [['flipped.gz'], 'flash.image-damaged'],
    [['empty'], 'flash.image-empty'],
    [['zip'], 'flash.image-format'],
    [['cut.xz'], 'flash.image-truncated'],
    [['noise.xz'], 'flash.image-damaged'],
    [['absent'], 'flash.image-missing'],
    [['wrong'], 'flash.checksum-wrong'],
    [['good', '--sha256', `${sum.slice(0, 63)}${sum.endsWith('0') ? 1 : 0}`], 'flash.checksum-wrong'],
    [['good', '--sha256', 'abc'], 'flash.checksum-unreadable'],
    [['good', system.disk('sdb')], 'flash.too-small'],
  ] as const) {
    const [name = '', ...rest] = args;
    const ran = await runCommand(createFlashCommand(system.roots), [
      path.join(system.dir, name),
      ...[system.disk('sda'), ...rest, '--yes', '--json'],
    ]);
    assert.equal(ran.code, 1, name);
    const { ok, problem } = JSON.parse(ran.out) as { ok: boolean; problem: { code: string; remedy: string } };
    assert.deepEqual([ok, problem.code], [false, code], name);
    assert.notEqual(problem.remedy, '');
  }
  for (const disk of ['sda', 'sdb'])
    assert.ok((await readFile(system.disk(disk))).every((byte) => byte === untouched));
  const ran = await runCommand(createFlashCommand(system.roots), [
    path.join(system.dir, 'good'),
    ...[system.disk('sdc'), '--sha256', sum.toUpperCase(), '--yes'],
  ]);
  assert.equal(ran.code, 0, ran.err);
});

test('an image that changes between its check and the writing leaves no bootable disk behind [I7]', async (t) => {
  const { system, file } = await sticks(t, { sda: imageBytes });
  for (const change of [() => flipByte(file, 9 * mebibyte), () => appendFile(file, 'more')]) {
    const flash = createFlashCommand(system.roots, async (disk, roots) => {
      await change();
      return openMedium(disk, roots);
    });
    const ran = await runCommand(flash, [file, system.disk('sda'), '--yes']);
    assert.equal(ran.code, 1);
    assert.match(ran.err, /flash\.image-changed/);
    assert.ok((await readFile(system.disk('sda'))).subarray(0, mebibyte).every((byte) => byte === 0));
    await writeFile(file, testImage());
  }
});

test('a person chooses from the list and confirms; without one nothing is written without --yes [I2]', async (t) => {
  const { system, file, image } = await sticks(t, { sda: imageBytes, sdb: imageBytes });
  const flash = createFlashCommand(system.roots);
  for (const [args, answers, words] of [
    [[], undefined, /Name one and add --yes/],
    [[system.disk('sda')], undefined, /Add --yes/],
    [[], ['2', 'no'], /not confirmed/],
    [[], [''], /none was chosen/],
    [[], ['7', 'yes'], /flash\.unknown-device/],
  ] as const) {
    const ran = await runCommand(flash, [file, ...args], answers);
    assert.equal(ran.code, 1);
    assert.match(ran.err, words);
  }
  assert.ok((await readFile(system.disk('sdb'))).every((byte) => byte === untouched));
  assert.equal((await runCommand(flash, [])).code, 2);
  const ran = await runCommand(flash, [file], ['2', 'yes']);
  assert.equal(ran.code, 0, ran.err);
  assert.ok((await readFile(system.disk('sdb'))).equals(image));
  assert.ok((await readFile(system.disk('sda'))).every((byte) => byte === untouched));
});

/** Keeps what it is given, but for one byte that is another one when everything is flushed: a worn cell. */
function forgetful(system: TestSystem, name: string, offset: number): NonNullable<FlashOptions['open']> {
  return async (disk, roots) => {
    const medium = await openMedium(disk, roots);
    if (disk.name !== name) return medium;
    let flushes = 0;
    const worn: Medium = {
      ...medium,
      async flush() {
        await medium.flush();
        if (++flushes === 2) await flipByte(system.disk(name), offset);
      },
    };
    return worn;
  };
}

async function sticks(t: TestContext, sizes: Readonly<Record<string, number>>) {
  const system = await testSystem(t, {
    disks: Object.entries(sizes).map(([name, sizeBytes]) => ({ name, sizeBytes, fill: untouched })),
  });
  const image = testImage();
  const file = await put(system, 'image', image);
  await access(file);
  return { system, image, file };
}

async function put(system: TestSystem, name: string, bytes: Buffer): Promise<string> {
  const file = path.join(system.dir, name);
  await writeFile(file, bytes);
  return file;
}

function xzCompressed(image: Buffer): Buffer {
  return execFileSync('xz', ['-0', '-c'], { input: image, maxBuffer: 64 * mebibyte });
}
