// `autoweave flash` and `install-to-disk` in a booted guest, on USB sticks that QEMU holds: O_DIRECT, O_EXCL and real unplugging.
import assert from 'node:assert/strict';
import { readFile, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, before, suite, test } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import { applyPatches, fitGpt } from '../../src/flash/fit-gpt.ts';
import { parsePartitionTable } from '../../src/flash/parse-partition-table.ts';
import { flipByte, imageBytes, testImage } from '../flash/test-image.ts';
import { type Guest, startGuest } from '../support/guest.ts';
import { buildGuestImage, whyNoGuest } from '../support/guest-image.ts';
import { suiteCleanup } from '../support/suite-cleanup.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';

const mebibyte = 1024 * 1024;
/** Long enough that a stick can be pulled in the middle of it. */
const largeBytes = 96 * mebibyte;
const stickBytes = 100 * mebibyte;
const limitMs = 120_000;
const cli = 'node /usr/lib/autoweave/autoweave.mjs';

interface Result {
  readonly ok: boolean;
  readonly problem?: { readonly code: string; readonly message: string };
  readonly results?: readonly Result[];
  readonly comparedBytes?: number;
  readonly seconds?: number;
}

suite('flashing in a booted guest', { skip: whyNoGuest() }, () => {
  const cleanup = suiteCleanup();
  let guest: Guest;
  let second: string;
  let plugged = false;

  before(async () => {
    const image = await buildGuestImage();
    guest = await startGuest(cleanup, { image, until: 'agent', config: {} });
    second = path.join(await tempDir(cleanup), 'second.img');
    await send('/run/large.zst', zstdCompressSync(large()));
  });

  /** As lines, because one argument of a script may have 128 KiB. */
  async function send(file: string, bytes: Buffer): Promise<void> {
    const text = bytes.toString('base64');
    await guest.shell.must(`: > ${file}.b64`);
    for (let at = 0; at < text.length; at += 90_000)
      await guest.shell.must(`printf %s '${text.slice(at, at + 90_000)}' >> ${file}.b64`);
    await guest.shell.must(`base64 -d ${file}.b64 > ${file} && rm ${file}.b64`);
  }

  const blank = async (file: string, bytes: number) => {
    await writeFile(file, '');
    await truncate(file, bytes);
  };
  const appears = (name: string) =>
    until(
      `${name} in the guest`,
      async () => (await guest.shell.run(`[ -b /dev/${name} ]`)).code === 0,
      limitMs,
    );
  const gone = (name: string) =>
    until(
      `${name} to leave`,
      async () => (await guest.shell.run(`[ ! -e /sys/block/${name} ]`)).code === 0,
      limitMs,
    );
  const run = async (args: string): Promise<Result> => {
    const { stdout, stderr } = await guest.shell.run(`${cli} ${args} --json 2>/run/progress`, limitMs);
    assert.notEqual(stdout, '', stderr + (await guest.shell.must('cat /run/progress')));
    return JSON.parse(stdout) as Result;
  };
  /** Resolves when the guest has written so many bytes to the stick. */
  const wrote = (bytes: number) =>
    until(
      `${bytes} bytes written`,
      async () => {
        const last = (await guest.shell.run('tail -n 1 /run/progress')).stdout;
        const found = /"progress":"(write|compare)".*?"doneBytes":(\d+)/.exec(last);
        assert.notEqual(found?.[1], 'compare', 'too late: the writing is over');
        return Number(found?.[2] ?? 0) >= bytes;
      },
      limitMs,
    );
  async function plugStick(bytes: number): Promise<void> {
    await blank(guest.storageFile, bytes);
    await plug();
  }
  async function plug(): Promise<void> {
    await guest.devices.plug('storage');
    plugged = true;
    await appears('sda');
  }
  async function pull(): Promise<void> {
    if (!plugged) return;
    plugged = false;
    await guest.devices.unplug('storage');
    await gone('sda');
  }
  afterEach(pull);

  test('an image is on the stick byte for byte, its backup table at the end of the stick [I7]', async (t) => {
    await plugStick(stickBytes);
    const list = JSON.parse(await guest.shell.must(`${cli} flash --list --json`)) as {
      disks: { name: string; bus: string }[];
    };
    assert.deepEqual(
      list.disks.map(({ name, bus }) => [name, bus]),
      [['sda', 'usb']],
    );
    const result = await run('flash /run/large.zst /dev/sda --yes');
    assert.ok(result.ok, JSON.stringify(result));
    const [{ comparedBytes = 0, seconds = 0 } = {}] = result.results ?? [];
    t.diagnostic(`${comparedBytes} bytes written and compared in ${seconds.toFixed(1)} s, in the guest`);
    const written = await readFile(guest.storageFile);
    assert.ok(written.subarray(0, largeBytes).equals(fit(large(), stickBytes)));
    assert.equal(written.toString('latin1', stickBytes - 512, stickBytes - 504), 'EFI PART');
    const { problem: system } = await run('flash /run/large.zst /dev/vda --yes');
    assert.equal(system?.code, 'flash.system-disk');
    const { problem: data } = await run('flash /run/large.zst /dev/vdb --yes');
    assert.equal(data?.code, 'flash.system-disk');
    assert.match(data?.message ?? '', /has vdb at \/var$/);
  });

  test('one bit that changed on the stick after it was written is found with its offset [I7]', async () => {
    await plugStick(stickBytes);
    const running = run('flash /run/large.zst /dev/sda --yes');
    await wrote(16 * mebibyte);
    await flipByte(guest.storageFile, 8 * mebibyte + 123);
    const [result] = (await running).results ?? [];
    assert.equal(result?.problem?.code, 'flash.read-back-differs', JSON.stringify(await running));
    assert.match(result?.problem?.message ?? '', new RegExp(`first at byte ${8 * mebibyte + 123}$`));
  });

  test('a stick that is pulled in the middle is a failure with that reason, and would not boot [I7]', async () => {
    await plugStick(stickBytes);
    const running = run('flash /run/large.zst /dev/sda --yes');
    await wrote(8 * mebibyte);
    await pull();
    const [result] = (await running).results ?? [];
    assert.equal(result?.problem?.code, 'flash.device-vanished', JSON.stringify(await running));
    const head = (await readFile(guest.storageFile)).subarray(0, 4 * mebibyte);
    assert.ok(head.every((byte) => byte === 0));
  });

  test('a stick that is too small, and one that is mounted, are refused before a byte is written [I7]', async () => {
    await plugStick(largeBytes - 512);
    const { problem } = await run('flash /run/large.zst /dev/sda --yes');
    assert.equal(problem?.code, 'flash.too-small');
    assert.ok((await readFile(guest.storageFile)).every((byte) => byte === 0));
    await guest.shell.must('mke2fs -q -t ext4 /dev/sda && mkdir -p /run/stick && mount /dev/sda /run/stick');
    const { problem: mounted } = await run('flash /run/large.zst /dev/sda --yes');
    assert.equal(mounted?.code, 'flash.mounted');
    assert.match(mounted?.message ?? '', /sda is mounted at \/run\/stick/);
    await guest.shell.must('umount /run/stick');
  });

  test('the stick that the system was started from installs itself, without its data partition [I2]', async () => {
    await writeFile(guest.storageFile, testImage());
    await plug();
    await blank(second, 13 * mebibyte);
    const { qmp } = guest.qemu;
    await qmp.execute('blockdev-add', {
      driver: 'raw',
      'node-name': 'second',
      file: { driver: 'file', filename: second },
    });
    await qmp.execute('device_add', {
      driver: 'usb-storage',
      port: '5',
      bus: 'xhci.0',
      id: 'second',
      drive: 'second',
    });
    await appears('sdb');
    // Direct boot knows no boot disk: the command line says what a boot loader would have said.
    await guest.shell.must(
      'echo "aw.disk=PARTUUID=22222222-2222-4222-8222-222222222222" > /run/cmdline && mount --bind /run/cmdline /proc/cmdline',
    );
    const { problem } = await run('install-to-disk /dev/sda --yes');
    assert.equal(problem?.code, 'flash.system-disk');
    const result = await run('install-to-disk /dev/sdb --yes');
    await guest.shell.must('umount /proc/cmdline');
    assert.ok(result.ok, JSON.stringify(result));
    const written = await readFile(second);
    assert.ok(
      written.subarray(mebibyte, 12 * mebibyte).equals(testImage().subarray(mebibyte, 12 * mebibyte)),
    );
    const verdict = parsePartitionTable({ head: written, sizeBytes: 13 * mebibyte, blockBytes: 512 });
    assert.ok(verdict.ok && verdict.table?.kind === 'gpt');
    assert.deepEqual(
      verdict.table.partitions.map(({ name }) => name),
      ['esp', 'slot-a', 'slot-b', 'config'],
    );
  });
});

/** The small test image with room behind it, as large as it takes to pull a stick meanwhile. */
function large(): Buffer {
  const image = Buffer.alloc(largeBytes);
  testImage().copy(image, 0, 0, imageBytes - mebibyte);
  return fit(image, largeBytes);
}

/** A copy with the partition table as it must be on a disk of that size. */
function fit(image: Buffer, sizeBytes: number): Buffer {
  const verdict = parsePartitionTable({ head: image, sizeBytes, blockBytes: 512 });
  assert.ok(verdict.ok && verdict.table?.kind === 'gpt');
  const fitted = Buffer.from(image);
  applyPatches(fitted, 0, fitGpt(image, verdict.table, { sizeBytes, blockBytes: 512 }));
  return fitted;
}
