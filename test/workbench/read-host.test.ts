import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { linkedModules, modulesMatchLock } from '../../src/workbench/read-host.mjs';
import { tempDir } from '../support/temp-dir.ts';

interface Entry {
  readonly version: string;
  readonly optional?: true;
}

async function checkout(
  t: Parameters<typeof tempDir>[0],
  wanted: Record<string, Entry>,
  installed?: Record<string, Entry>,
) {
  const dir = await tempDir(t);
  writeFileSync(path.join(dir, 'package-lock.json'), JSON.stringify({ packages: { '': {}, ...wanted } }));
  if (installed === undefined) return dir;
  mkdirSync(path.join(dir, 'node_modules/.bin'), { recursive: true });
  writeFileSync(path.join(dir, 'node_modules/.package-lock.json'), JSON.stringify({ packages: installed }));
  return dir;
}
const one = { 'node_modules/one': { version: '1.0.0' } };

test('a checkout without node_modules does not match its lock file [Q4]', async (t) => {
  assert.equal(modulesMatchLock(await checkout(t, one), { libc: 'musl' }), false);
});

test('another version than the lock file names, or a missing package, does not match [Q4]', async (t) => {
  const other = await checkout(t, one, { 'node_modules/one': { version: '1.0.1' } });
  assert.equal(modulesMatchLock(other, { libc: 'musl' }), false);
  assert.equal(modulesMatchLock(await checkout(t, one, {}), { libc: 'musl' }), false);
});

test('packages of other platforms may be absent [Q4]', async (t) => {
  const wanted = { ...one, 'node_modules/for-elsewhere': { version: '1.0.0', optional: true } } as const;
  assert.equal(modulesMatchLock(await checkout(t, wanted, one), { libc: 'musl' }), true);
});

test('on glibc Node itself must be among what npm installed [Q4]', async (t) => {
  const dir = await checkout(t, one, one);
  assert.equal(modulesMatchLock(dir, { libc: 'glibc' }), false);
  writeFileSync(path.join(dir, 'node_modules/.bin/node'), '');
  assert.equal(modulesMatchLock(dir, { libc: 'glibc' }), true);
});

test('a node_modules that is a link is told from a folder and from none [Q4]', async (t) => {
  const dir = await tempDir(t);
  assert.equal(linkedModules(dir), null);
  symlinkSync('/elsewhere', path.join(dir, 'node_modules'));
  assert.equal(linkedModules(dir), '/elsewhere');
  assert.equal(linkedModules(await checkout(t, one, one)), null);
});
