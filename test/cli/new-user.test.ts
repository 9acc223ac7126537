// What a new user types: help everywhere, half a command line, places that cannot be written. A sentence each, never a trace.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import { tempDir } from '../support/temp-dir.ts';
import { run } from './run.ts';

test('help comes for every command however it is asked for, the daemon and help itself included [S6]', async () => {
  for (const argv of [
    ['daemon', '--help'],
    ['daemon', '-h', '--config', 'x'],
    ['help', '--help'],
    ['plugin', 'dev', '-h'],
  ]) {
    const child = spawnSync(process.execPath, ['src/supervisor/main.ts', ...argv], { encoding: 'utf8' });
    assert.deepEqual([child.status, child.stderr], [0, ''], argv.join(' '));
    assert.match(child.stdout, /^Usage: autoweave/, argv.join(' '));
  }
});

test('a place that cannot be written or read is told in one line [S6]', async (t) => {
  const dir = await tempDir(t);
  const file = path.join(dir, 'file');
  await writeFile(file, '{}');
  const inFile = path.join(file, 'x');
  const key = path.join(dir, 'k');
  assert.equal((await run('key', 'new', '--out', key, '--no-password')).code, 0);
  const rules = path.join(dir, 'rules');
  await writeFile(rules, 'allow\n');
  for (const argv of [
    ['key', 'new', '--out', path.join(inFile, 'y'), '--no-password'],
    ['trust', 'new', inFile, '--root', `${key}.pub`],
    ['provision', '--from', file, '--to', path.join(dir, 'none/there')],
    ['boot-settings', '--state', dir, '--default', file, '--closed', file, '--to', inFile],
    ['boot-settings', '--state', dir, '--default', inFile, '--closed', file, '--to', dir],
    ['install-host', '--root', inFile, '--node', process.execPath],
    ['flash', dir],
    ['usb', 'policy', 'apply', rules, '--to', inFile, '--force'],
  ]) {
    const { code, err, out } = await run(...argv);
    assert.deepEqual([code, out], [1, ''], argv.join(' '));
    assert.doesNotMatch(err, /^ +at /m, argv.join(' '));
    assert.match(err, /ENOTDIR|ENOENT|EISDIR|EEXIST|is damaged/, argv.join(' '));
  }
});

test('which appliance is meant is said once and whole, and a wrong value names its option [S6]', async (t) => {
  const file = path.join(await tempDir(t), 'token');
  await writeFile(file, 'token\n');
  const url = ['--url', 'http://127.0.0.1:1'];
  for (const [argv, said] of [
    [['reboot', '--yes', '--token-file', file], /--token-file and --ca go with --url/],
    [['status', '--ca', file], /--token-file and --ca go with --url/],
    [['status', ...url, '--socket', file], /--socket or --url, not both/],
    [['events', '--last', '0'], /--last takes 1 to 200, not 0/],
    [['audit', '--last', '201'], /--last takes 1 to 200, not 201/],
    [['events', '--before', 'x'], /--before takes the id of an event, such as 1-1841, not x/],
    [['logs', '--level', 'loud'], /--level takes debug, info, warn, error, not loud/],
    [['status', '--socket', ''], /--socket takes a file, not nothing/],
  ] as const) {
    const { code, err } = await run(...argv);
    assert.equal(code, 2, err);
    assert.match(err, said);
  }
  const nobody = await run('account', 'password', 'boss', ...url);
  assert.match(nobody.err, /^cli\.no-terminal: .*--password-file FILE\n$/);
});

test('a group without an action says which there are [S6]', async () => {
  for (const [argv, said] of [
    [['key'], 'autoweave key: Say one of: new, show.\n'],
    [['usb'], 'autoweave usb: Say policy.\n'],
    [['usb', 'policy'], 'autoweave usb policy: Say check, explain, generate, diff, test, apply.\n'],
    [['config'], 'autoweave config: Say check, show or schema.\n'],
  ] as const)
    assert.deepEqual(await run(...argv), { code: 2, out: '', err: said });
});
