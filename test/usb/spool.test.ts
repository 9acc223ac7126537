import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { formatEmptied, parseSpool } from '../../src/usb/parse-spool.ts';
import { emptySpool, readSpool, type SpoolFile } from '../../src/usb/read-spool.ts';
import { leadsTo, spoolCoverage } from '../../src/usb/spool-coverage.ts';
import { tempDir } from '../support/temp-dir.ts';
import { bootId, spoolLine } from './file-bus.ts';

const helper = path.join(import.meta.dirname, '../../udev/autoweave-spool');
const thisBoot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
const uevent = {
  SEQNUM: '4711',
  ACTION: 'add',
  DEVPATH: '/devices/pci0000:00/0000:00:14.0/usb1/1-1/1-1.4',
  PRODUCT: '46d/c31c/4920',
  TYPE: '0/0/0',
  BUSNUM: '001',
  DEVNUM: '004',
  ID_SERIAL_SHORT: 'K1',
  ID_VENDOR_ENC: 'Logi\\x20tech',
  ID_MODEL_ENC: 'K\\xc3\\xa4y',
};
const shells = [['sh'], ['busybox', 'sh']];
const isMissing = ([command = '']: readonly string[]) => spawnSync(command, ['-c', ':']).error !== undefined;

for (const shell of shells) {
  const [command = '', ...args] = shell;
  const run = (file: string, env: Readonly<Record<string, string>> = uevent) =>
    spawnSync(command, [...args, helper, file], { env: { PATH: process.env.PATH, ...env } });

  const skip = isMissing(shell) && `${shell.join(' ')} is not installed on this machine`;

  test(`the helper under ${shell.join(' ')} notes what the daemon reads [U5]`, { skip }, async (t) => {
    const file = path.join(await tempDir(t), 'usb');
    assert.equal(run(file).status, 0);
    run(file, { ...uevent, SEQNUM: '4709', ACTION: 'remove', SYNTH_UUID: '0' });
    const read = readSpool(file, thisBoot);
    assert.ok(read.ok);
    assert.deepEqual(read.spool.refused, []);
    const [first, second] = read.spool.records;
    assert.equal(first?.seqnum, 4709);
    assert.equal(first.isSynthetic, true);
    assert.ok(second !== undefined);
    const { uptimeMs, ...record } = second;
    const now = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * 1_000;
    assert.ok(uptimeMs <= now && now - uptimeMs < 60_000);
    assert.deepEqual(record, {
      seqnum: 4711,
      action: 'add',
      port: '1-1.4',
      isSynthetic: false,
      facts: {
        bus: 1,
        address: 4,
        product: '46d/c31c/4920',
        type: '0/0/0',
        manufacturer: 'Logi tech',
        model: 'Käy',
        serial: 'K1',
      },
    });
  });

  test(`the helper under ${shell.join(' ')} stops at 1 MiB and says so [U5]`, { skip }, async (t) => {
    const file = path.join(await tempDir(t), 'usb');
    writeFileSync(file, `${'x'.repeat(1_047_900)}\n`);
    for (let each = 0; each < 40; each++) run(file);
    assert.ok(statSync(file).size <= 1_048_576);
    const read = readSpool(file, thisBoot);
    assert.ok(read.ok);
    assert.equal(read.spool.isFull, true);
  });
}

test('lines of parallel helpers do not mix [U5]', async (t) => {
  const file = path.join(await tempDir(t), 'usb');
  const numbers = Array.from({ length: 40 }, (_, index) => index + 1);
  const exits = numbers.map((number) =>
    once(spawn('sh', [helper, file], { env: { ...uevent, SEQNUM: String(number) } }), 'exit'),
  );
  await Promise.all(exits);
  const read = readSpool(file, thisBoot);
  assert.ok(read.ok);
  assert.deepEqual(read.spool.refused, []);
  assert.deepEqual(
    read.spool.records.map(({ seqnum }) => seqnum),
    numbers,
  );
});

test('the helper follows no symbolic link and makes no folder [U5]', async (t) => {
  const dir = await tempDir(t);
  symlinkSync(path.join(dir, 'target'), path.join(dir, 'usb'));
  spawnSync('sh', [helper, path.join(dir, 'usb')], { env: uevent });
  spawnSync('sh', [helper, path.join(dir, 'missing/usb')], { env: uevent });
  assert.equal(existsSync(path.join(dir, 'target')), false);
  assert.equal(existsSync(path.join(dir, 'missing')), false);
});

test('shellcheck finds nothing in the helper [U5]', (t) => {
  const { error, status, stdout } = spawnSync('shellcheck', [helper], { encoding: 'utf8' });
  if (error !== undefined) return t.skip('shellcheck is not installed on this machine');
  assert.equal(status, 0, stdout);
});

const line = (seqnum: number, extra: Partial<Parameters<typeof spoolLine>[0]> = {}) =>
  spoolLine({ action: 'add', port: '1-1', seqnum, address: 4, uptimeMs: 5_000, ...extra });
const parse = (...lines: readonly string[]) =>
  parseSpool(Buffer.from(lines.map((each) => `${each}\n`).join('')), bootId);

test('bad lines are refused by code, the good ones between them are read [Q3]', () => {
  const spool = parse(
    line(2),
    'nonsense',
    line(1).replace('add', 'explode'),
    line(3).replace('/1-1', '/1-1:1.0'),
    line(4).replace('5.00', 'soon'),
    line(5).replace('\t5\t', '\t-5\t'),
    `${line(6)}${'x'.repeat(3_000)}`,
    `${line(7)}\textra`,
    line(8),
  );
  assert.deepEqual(
    spool.records.map(({ seqnum }) => seqnum),
    [2, 8],
  );
  assert.deepEqual(spool.refused, [
    'usb.spool-line',
    'usb.spool-action',
    'usb.spool-port',
    'usb.spool-number',
    'usb.spool-number',
    'usb.spool-line-too-long',
    'usb.spool-line',
  ]);
});

test('a line without end is refused; lines of another boot and root hubs are left out [U5]', () => {
  const boot = '99999999-2222-4333-8444-555555555555';
  const root = line(3).replace('/usb1/1-1', '/usb1');
  const text = `${line(1, { boot })}\n${root}\n${line(2)}\n${line(4)}`;
  const spool = parseSpool(Buffer.from(text), bootId);
  assert.deepEqual(
    spool.records.map(({ seqnum }) => seqnum),
    [2],
  );
  assert.deepEqual(spool.refused, ['usb.spool-cut']);
});

test('emptying leaves a mark, and follows no symbolic link [U5]', async (t) => {
  const dir = await tempDir(t);
  const file = path.join(dir, 'usb');
  writeFileSync(file, `${line(9)}\n`);
  const { size } = statSync(file);
  assert.equal(emptySpool(file, { bootId, uptimeMs: 7_000, seqnum: 9, size }), 'emptied');
  const read = readSpool(file, bootId);
  assert.ok(read.ok);
  assert.deepEqual(read.spool, {
    records: [],
    refused: [],
    isFull: false,
    emptied: { uptimeMs: 7_000, seqnum: 9 },
  });
  symlinkSync(file, path.join(dir, 'link'));
  const nothing = { bootId, uptimeMs: 0, seqnum: 0, size: 0 };
  assert.deepEqual(emptySpool(path.join(dir, 'link'), nothing), { errno: 'ELOOP' });
  assert.deepEqual(readSpool(path.join(dir, 'link'), bootId), { ok: false, errno: 'ELOOP' });
  assert.deepEqual(readSpool(path.join(dir, 'none'), bootId), { ok: false, errno: 'ENOENT' });
  mkdirSync(path.join(dir, 'folder'));
  assert.deepEqual(readSpool(path.join(dir, 'folder'), bootId), { ok: false, errno: 'EISDIR' });
});

test('a line that was appended after the reading is not emptied with the rest [U5]', async (t) => {
  const file = path.join(await tempDir(t), 'usb');
  writeFileSync(file, `${line(9)}\n`);
  const before = readSpool(file, bootId);
  assert.ok(before.ok);
  appendFileSync(file, `${line(10)}\n`);
  assert.equal(emptySpool(file, { bootId, uptimeMs: 7_000, seqnum: 9, size: before.size }), 'has grown');
  const after = readSpool(file, bootId);
  assert.ok(after.ok);
  assert.deepEqual(
    after.spool.records.map(({ seqnum }) => seqnum),
    [9, 10],
  );
});

test('complete is claimed on proof alone [U5]', () => {
  const file = (...lines: readonly string[]): SpoolFile => ({ ok: true, spool: parse(...lines), size: 1 });
  const mark = (uptimeMs: number, seqnum: number) => formatEmptied(bootId, uptimeMs, seqnum).trimEnd();
  const gap = { afterSeqnum: 10, sightUptimeMs: null };
  const sure = file(line(10, { uptimeMs: 4_000 }), line(11, { uptimeMs: 8_000 }));
  assert.deepEqual(spoolCoverage(gap, sure, 1_000), {
    certainty: 'complete',
    why: 'the spool has every uevent of the gap',
    blindSinceUptimeMs: 4_000,
  });
  assert.equal(spoolCoverage(gap, file(mark(3_000, 9)), 1_000).certainty, 'complete');
  assert.equal(spoolCoverage({ afterSeqnum: 10, sightUptimeMs: 9_000 }, file(), 8_999).certainty, 'complete');
  const doubts: readonly (readonly [
    SpoolFile,
    number | null,
    typeof gap | { afterSeqnum: null; sightUptimeMs: null },
  ])[] = [
    [sure, 4_001, gap],
    [sure, null, gap],
    [sure, 1_000, { afterSeqnum: null, sightUptimeMs: null }],
    [{ ok: false, errno: 'ENOENT' }, 1_000, gap],
    [file(line(11)), 1_000, gap],
    [file(line(10), 'full'), 1_000, gap],
    [file(line(10), 'damaged'), 1_000, gap],
    [file(mark(3_000, 11)), 1_000, gap],
  ];
  for (const [spool, udevd, over] of doubts)
    assert.equal(spoolCoverage(over, spool, udevd).certainty, 'net-state-only');
});

test('a difference between what the spool leads to and the scan shows that udevd slept [U5]', () => {
  const { records } = parse(
    line(1, { port: '1-2', address: 5 }),
    line(2, { port: '1-1', action: 'remove' }),
    line(3, { port: '1-3', address: 6 }),
    line(4, { port: '1-3', action: 'remove' }),
  );
  const known = new Map([['1-1', 4]]);
  const device = (port: string, address: number) => ({
    ...{ port, address, bus: 1, identity: null, hasSerial: false, configurations: 1 },
    interfaces: [],
    problems: [],
  });
  assert.equal(leadsTo(known, records, [device('1-2', 5)]), true);
  assert.equal(leadsTo(known, records, [device('1-2', 7)]), false);
  assert.equal(leadsTo(known, records, [device('1-2', 5), device('1-3', 6)]), false);
  assert.equal(leadsTo(known, records, []), false);
});
