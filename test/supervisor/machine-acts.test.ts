import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import { loadConfig } from '../../src/config/load-config.ts';
import { createMachineActs } from '../../src/supervisor/machine-acts.ts';
import { noSmallDisk } from '../support/small-disk.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import type { Cleanup } from '../support/with-cleanup.ts';

const helper = 'rootfs/usr/lib/autoweave/machine-requests';

function configIn(dir: string, broker: string | null = null) {
  const appliance = {
    ...{ stateDir: path.join(dir, 'state'), runDir: path.join(dir, 'run') },
    bootNotesFile: path.join(dir, 'boot/notes'),
  };
  const text = JSON.stringify({ appliance, ...(broker === null ? {} : { uplink: { url: broker } }) });
  const loaded = loadConfig({ file: 'x', text, environment: {} });
  assert.ok(loaded.ok);
  return loaded.config;
}

/** Root's helper with a `reboot` that only says that it was called. */
async function startHelper(t: Cleanup, dir: string) {
  const [bin, data] = [path.join(dir, 'bin'), path.join(dir, 'var')];
  await Promise.all([bin, data, path.join(dir, 'state')].map((each) => mkdir(each)));
  await writeFile(path.join(bin, 'reboot'), '#!/bin/sh\necho rebooted\n', { mode: 0o755 });
  const child = spawn('sh', [helper, path.join(dir, 'boot'), data, 'root', 'echo'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, PATH: `${bin}:${process.env.PATH}` },
  });
  t.after(async () => {
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  return { data, said: () => said, reboots: () => said.split('rebooted\n').length - 1 };
}

test('a reboot that the page asks for reaches root, and any other word does nothing [S6, S8]', async (t) => {
  const dir = await tempDir(t);
  const { data, reboots } = await startHelper(t, dir);
  const { askMachine } = createMachineActs({ config: configIn(dir) });
  await until('the helper waits', async () => (await askMachine('reboot')).ok);
  await until('it has happened', () => reboots() === 1);
  await writeFile(path.join(dir, 'boot/machine-requests'), 'halt; reboot\nreboot now\n\n$(reboot)\n');
  assert.ok((await askMachine('factory-reset')).ok);
  await until('the next one has happened', () => reboots() === 2);
  assert.deepEqual(await readdir(data), ['factory-reset']);
});

test('where the image does not run the computer, the page says so in place of waiting [S6]', async (t) => {
  const dir = await tempDir(t);
  const { askMachine } = createMachineActs({ config: configIn(dir) });
  const verdict = await askMachine('reboot');
  assert.ok(!verdict.ok && verdict.code === 'system.unavailable');
  assert.match(verdict.reason, /takes no requests to reboot .*ENOENT.*its owner does it/);
});

test('a reset that cannot be marked is told and does nothing; the helper goes on [S6]', async (t) => {
  const dir = await tempDir(t);
  const { data, reboots, said } = await startHelper(t, dir);
  const { askMachine } = createMachineActs({ config: configIn(dir) });
  // As on a disk that can only be read.
  await rm(data, { recursive: true });
  await until('the helper waits', async () => (await askMachine('factory-reset')).ok);
  await until('it is told', () => /^data not-forgotten the data partition cannot be written/m.test(said()));
  assert.equal(reboots(), 0);
  assert.ok((await askMachine('reboot')).ok);
  await until('the next request is done', () => reboots() === 1);
  await rm(path.join(dir, 'state'), { recursive: true });
  const verdict = await askMachine('factory-reset');
  assert.ok(!verdict.ok && verdict.code === 'system.unavailable');
  assert.match(verdict.reason, /^nothing was forgotten: .*state cannot be written/);
});

test('a reset forgets what is on a data partition that this start could not use [S6]', async (t) => {
  const dir = await tempDir(t);
  const { data, reboots } = await startHelper(t, dir);
  const [disk, old] = [path.join(dir, 'disk.img'), path.join(dir, 'old')];
  await mkdir(old);
  await writeFile(path.join(old, 'users.json'), '{}');
  const mke2fs = (...args: string[]) =>
    execFileSync('mke2fs', ['-q', '-F', '-t', 'ext4', ...args, disk, '8M']);
  mke2fs('-d', old);
  const names = () => execFileSync('debugfs', ['-R', 'ls -p', disk], { encoding: 'utf8' });
  assert.match(names(), /users\.json/);
  const { askMachine } = createMachineActs({ config: configIn(dir) });
  await mkdir(path.join(dir, 'boot'), { recursive: true });
  await writeFile(path.join(dir, 'boot/data-unused'), `${disk}\n`);
  await until('the helper waits', async () => (await askMachine('factory-reset')).ok);
  await until('it starts again', () => reboots() === 1);
  assert.doesNotMatch(names(), /users\.json/);
  assert.deepEqual(await readdir(data), []);
});

test('what cannot be deleted keeps the mark, and is named [S6]', { skip: noSmallDisk }, async (t) => {
  const data = await tempDir(t);
  const stuck = path.join(data, 'stuck');
  await Promise.all(['stuck', 'lib'].map((name) => mkdir(path.join(data, name))));
  await writeFile(path.join(data, 'factory-reset'), '');
  execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', stuck]);
  const forget = () =>
    execFileSync('sh', ['rootfs/usr/lib/autoweave/forget-data', data, 'echo'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  try {
    assert.match(forget(), /^data not-forgotten .* left are: \S+\/stuck/);
    assert.deepEqual((await readdir(data)).sort(), ['factory-reset', 'stuck']);
  } finally {
    execFileSync('umount', [stuck]);
  }
  assert.match(forget(), /^data forgotten /);
  assert.deepEqual(await readdir(data), []);
});

test('what was marked is forgotten at the start, the mark last [S6]', async (t) => {
  const dir = await tempDir(t);
  const data = path.join(dir, 'var');
  const run = async () => {
    const child = spawn('sh', ['rootfs/usr/lib/autoweave/forget-data', data, 'echo'], { stdio: 'pipe' });
    let said = '';
    child.stdout.on('data', (text: Buffer) => {
      said += text.toString();
    });
    const [code] = (await once(child, 'close')) as [number];
    assert.equal(code, 0);
    return said;
  };
  await mkdir(path.join(data, 'lib/autoweave'), { recursive: true });
  await writeFile(path.join(data, 'lib/autoweave/users.json'), '{}');
  await writeFile(path.join(data, '.hidden'), '');
  await writeFile(path.join(data, '..hidden'), '');
  assert.equal(await run(), '', 'nobody asked for it');
  assert.equal((await readdir(data)).length, 3);
  await writeFile(path.join(data, 'factory-reset'), '');
  assert.match(await run(), /^data forgotten as was asked for/);
  assert.deepEqual(await readdir(data), []);
});

test('set-up goes through the same gate as a file: checked whole, secrets apart [I5]', async (t) => {
  const dir = await tempDir(t);
  await Promise.all(['state', 'run'].map((name) => mkdir(path.join(dir, name))));
  const asked = {
    ...{ tenant: 'acme', site: 'north', name: 'till-3', timeServers: ['ntp.example'] },
    broker: { url: 'mqtts://broker.example', user: 'till', password: 'planted-password' },
  };
  const config = configIn(dir);
  const { setUp } = createMachineActs({ config });
  const wrong = await setUp({ ...asked, network: { address: 'nonsense' } });
  assert.ok(!wrong.ok && wrong.code === 'system.setup-refused' && /network\.address/.test(wrong.reason));
  assert.deepEqual(await readdir(config.appliance.stateDir), []);
  const done = await setUp(asked);
  assert.ok(done.ok && /from the next start/.test(done.detail), JSON.stringify(done));
  const kept = await readFile(path.join(config.appliance.stateDir, 'autoweave.json'), 'utf8');
  assert.doesNotMatch(kept, /planted-password/);
  assert.match(
    await readFile(path.join(config.appliance.stateDir, 'secrets.json'), 'utf8'),
    /planted-password/,
  );
  const loaded = loadConfig({ file: 'x', text: kept, environment: {} });
  assert.ok(
    loaded.ok && loaded.config.appliance.name === 'till-3' && loaded.config.uplink.username === 'till',
  );
  assert.deepEqual(await readdir(config.appliance.runDir), [], 'nothing is left lying about');

  const again = createMachineActs({ config: configIn(dir, 'mqtts://broker.example') });
  const refused = await again.setUp(asked);
  assert.ok(!refused.ok && refused.code === 'system.provisioned');
  assert.ok((await again.setUp({ ...asked, replace: true })).ok);
});

test('set-up of a running appliance changes what it asks for and keeps all else [I5, S6]', async (t) => {
  const dir = await tempDir(t);
  await Promise.all(['state', 'run'].map((name) => mkdir(path.join(dir, name))));
  const config = configIn(dir, 'mqtts://old.example');
  const file = path.join(config.appliance.stateDir, 'autoweave.json');
  const before = {
    appliance: { tenant: 'acme', site: 'south', name: 'till-1' },
    uplink: { url: 'mqtts://old.example', username: 'till', caFile: '/ca.pem', window: 7 },
    policy: { mode: 'enforce' },
    network: { address: '192.0.2.20/24' },
    plugins: { settings: { scale: { unit: 'kg' } } },
  };
  await writeFile(file, JSON.stringify(before));
  const { setUp } = createMachineActs({ config });
  const place = { tenant: 'acme', site: 'north', name: 'till-3', replace: true };
  const kept = async () => JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>;

  const sameBroker = { url: 'mqtts://old.example', user: 'till' };
  assert.ok((await setUp({ ...place, broker: sameBroker })).ok);
  const appliance = { tenant: 'acme', site: 'north', name: 'till-3' };
  assert.deepEqual(await kept(), { ...before, appliance });

  // Another broker gets neither the account nor the authority of the old one.
  const done = await setUp({
    ...place,
    broker: { url: 'mqtts://new.example' },
    timeServers: ['ntp.example'],
  });
  assert.ok(done.ok, JSON.stringify(done));
  const uplink = { url: 'mqtts://new.example', window: 7 };
  assert.deepEqual(await kept(), { ...before, appliance, uplink, time: { servers: ['ntp.example'] } });
});
