import assert from 'node:assert/strict';
import { appendFile, readdir, readFile, readlink, rm, statfs, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import { type KvStore, openKvStore } from '../../src/plugins/services/kv-store.ts';
import { mountSmallDisk, noSmallDisk } from '../support/small-disk.ts';
import { tempDir } from '../support/temp-dir.ts';

const MIB = 1_048_576;
const large = (letter: string) => JSON.stringify(letter.repeat(60_000));

/** Nothing else has room on the disk until the function it gives is called. */
async function fill(disk: string, left: number): Promise<() => Promise<void>> {
  const { bavail, bsize } = await statfs(disk);
  const filler = path.join(disk, 'filler');
  await appendFile(filler, Buffer.alloc(bavail * bsize - left));
  return () => rm(filler);
}

async function valuesOf(file: string): Promise<Readonly<Record<string, string | null>>> {
  const store = await openKvStore(file, MIB);
  const keys = await store.keys();
  const all = await Promise.all(keys.map(async (key) => [key, await store.get(key)] as const));
  await store.close();
  return Object.fromEntries(all);
}

const openFilesBelow = async (folder: string) => {
  const links = (await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => ''));
  return (await Promise.all(links)).filter((link) => link.startsWith(folder));
};

async function openWith(t: { after(work: () => Promise<void>): void }, file: string): Promise<KvStore> {
  const store = await openKvStore(file, MIB);
  t.after(() => store.close());
  return store;
}

test('what was set and confirmed is there after every way to write it, and read as it was set last [P8]', async (t) => {
  const file = path.join(await tempDir(t), 'x/kv');
  const store = await openWith(t, file);
  for (let n = 0; n < 2_000; n++) void store.set(`k${n % 7}`, JSON.stringify(`${n} ${'x'.repeat(90)}`));
  assert.equal(await store.set('gone', '1'), 'ok');
  // Not waited for, and yet before what is asked next.
  void store.set('gone', null);
  assert.equal(await store.get('gone'), null);
  assert.equal(await store.set('huge', `"${'x'.repeat(MIB)}"`), 'quota');
  const values = await valuesOf(file);
  assert.deepEqual(Object.keys(values).sort(), ['k0', 'k1', 'k2', 'k3', 'k4', 'k5', 'k6']);
  assert.match(values.k4 ?? '', /^"1999 x/);
  const { length } = await readFile(file);
  await store.set('k4', values.k4 ?? null);
  await store.set('never', null);
  assert.equal((await readFile(file)).length, length, 'what changes nothing is not written');
  // A power cut in the middle of a line.
  await appendFile(file, '1234 ["k4","2');
  assert.deepEqual(await valuesOf(file), values);
});

test('a full disk: what could not be written is as it was, and what is confirmed afterwards is kept [P8]', {
  skip: noSmallDisk,
}, async (t) => {
  const disk = await mountSmallDisk(t, 2);
  const file = path.join(disk, 'kv');
  const store = await openWith(t, file);
  await store.set('a', large('1'));
  const free = await fill(disk, 8_192);
  await assert.rejects(store.set('a', large('2')), { code: 'ENOSPC' });
  assert.equal(await store.get('a'), large('1'));
  // Made anew, which fails too.
  await assert.rejects(store.set('b', large('3')), { code: 'ENOSPC' });
  assert.deepEqual([await store.keys(), await openFilesBelow(disk)], [['a'], []]);
  assert.deepEqual(await valuesOf(file), { a: large('1') });
  await free();
  assert.equal(await store.set('b', large('4')), 'ok');
  assert.equal(await store.set('c', '5'), 'ok');
  const { a, b, c } = await valuesOf(file);
  assert.deepEqual([a === large('1'), b === large('4'), c], [true, true, '5']);
});

test('what is there and cannot be read is no empty store, and is not written over [P8]', async (t) => {
  const dir = await tempDir(t);
  const file = path.join(dir, 'kv');
  await symlink(file, file);
  await assert.rejects(openKvStore(file, MIB), { code: 'plugins.kv-unreadable', message: /ELOOP/ });
  assert.equal(await readlink(file), file);
  await writeFile(path.join(dir, 'file'), '');
  await assert.rejects(openKvStore(path.join(dir, 'file/kv'), MIB), { code: 'plugins.kv-unreadable' });
});
