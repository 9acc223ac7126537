import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import type { UsbDevice } from '../../src/contracts/usb-device.ts';
import { ensurePageCertificate } from '../../src/operate/identity/page-certificate.ts';
import { startControl } from '../../src/status/start-control.ts';
import { accessFixture } from '../status/access-fixture.ts';
import { apiClient, owner } from '../status/api-client.ts';
import { idleControl } from '../status/idle-control.ts';
import { until } from '../support/until.ts';
import { run, runIn } from './run.ts';

const device: UsbDevice = {
  ...{ port: '1-1.4', bus: 1, address: 2, identity: null, hasSerial: false, configurations: 1 },
  ...{ interfaces: [], problems: [], vendorId: '046d', productId: 'c31c', product: 'Evil\u001b[2J board' },
  policy: { target: 'block', by: 'rule', line: 3, reason: 'block id 046d:c31c', enforced: true },
};
const control = {
  ...idleControl,
  logs: () => [{ time: 't1', level: 'warn', part: 'buffer', text: 'Redis is \u0007slow' } as const],
};

async function appliance(t: TestContext, options: Parameters<typeof accessFixture>[1] = {}) {
  const fixture = await accessFixture(t, { control, devices: () => [device], ...options });
  const socket = path.join(fixture.dir, 'control.sock');
  const local = await startControl({ socket, api: fixture.server.handleLocal });
  t.after(() => local.stop());
  return { ...fixture, socket };
}

test('AUTOWEAVE_SOCKET names the appliance of every command, unless --socket or --url does [S6]', async (t) => {
  const { dir, server, socket } = await appliance(t);
  const none = path.join(dir, 'none.sock');
  const here = { AUTOWEAVE_SOCKET: socket };
  for (const argv of [
    ['status'],
    ['devices'],
    ['user', 'list'],
    ['token', 'list'],
    ['settings'],
    ['audit'],
    ['claim-code'],
  ]) {
    const { code, err, out } = await runIn(here, ...argv);
    assert.equal(code, 0, `${argv.join(' ')}: ${err}`);
    assert.notEqual(out, '', argv.join(' '));
  }
  const elsewhere = { AUTOWEAVE_SOCKET: none };
  assert.equal((await runIn(elsewhere, 'status', '--socket', socket)).code, 0);
  assert.equal((await runIn(elsewhere, 'status', '--url', `http://127.0.0.1:${server.port}`)).code, 0);
  const away = await runIn(elsewhere, 'status');
  assert.equal(away.code, 1);
  assert.ok(away.err.startsWith(`cli.no-daemon: ask the appliance at ${none}: `), away.err);
  assert.match(away.err, /--socket or AUTOWEAVE_SOCKET names another place/);
  const unset = await runIn({ AUTOWEAVE_SOCKET: '' }, 'status');
  assert.doesNotMatch(unset.err, /ask the appliance at : /, 'an empty variable counts as not set');
  assert.match((await run('--help')).out, /AUTOWEAVE_SOCKET/);
  assert.match((await run('status', '--help')).out, /AUTOWEAVE_SOCKET/);
});

test('on the appliance itself the commands need no login: who may open the socket may ask [S6]', async (t) => {
  const { socket, buffer } = await appliance(t);
  assert.equal((await stat(socket)).mode & 0o777, 0o660);
  buffer.append(3);
  const state = await run('status', '--socket', socket);
  assert.equal(state.code, 0, state.err);
  assert.match(state.out, /^acme:plant:edge-1 {2}1\.2\.3 {2}SIMULATED\nhealth {4}ok, as of 2026-01-01T/);
  const devices = await run('devices', '--socket', socket);
  assert.equal(devices.out, '1-1.4      046d:c31c  Evil [2J board  block (block id 046d:c31c)\n');
  const events = await run('events', '--socket', socket, '--last', '2');
  assert.deepEqual(
    events.out
      .trim()
      .split('\n')
      .map((line) => line.split(/ +/)[1]),
    ['1-2', '1-3'],
  );
  assert.equal(
    (await run('logs', '--socket', socket, '--level=warn')).out,
    't1 warn  buffer: Redis is  slow\n',
  );
  for (const command of ['status', 'devices', 'logs']) {
    const { out } = await run(command, '--json', '--socket', socket);
    assert.equal((JSON.parse(out) as { source: string }).source, 'urn:autoweave:acme:plant:edge-1');
  }
});

test('an appliance in the network is asked over TLS with a token, and its no is told with what to do [S6, S8]', async (t) => {
  const fixture = await appliance(t);
  const tls = await ensurePageCertificate(fixture.dir);
  const { server, dir, claimCode } = await appliance(t, { dir: fixture.dir, tls });
  const ca = path.join(dir, 'ca.pem');
  await writeFile(ca, tls.cert);
  const url = `https://localhost:${server.port}`;
  const stranger = await run('devices', '--url', url, '--ca', ca);
  assert.equal(stranger.code, 1);
  assert.match(stranger.err, /^status\.unclaimed: .*Claim it with the code that its console shows/);
  assert.match(
    (await run('devices', '--url', url)).err,
    /^cli\.no-daemon: .*self-signed certificate; .*--ca\n$/,
  );
  const moved = await run('devices', '--url', `http://localhost:${server.port}`);
  assert.match(moved.err, /^cli\.moved: the appliance answers at https:/);

  const plain = await appliance(t, { dir });
  const page = apiClient(plain.server.port);
  await page.claim(plain.claimCode());
  assert.ok(claimCode() !== '');
  const { json } = await page.call('POST', 'tokens', { name: 'laptop', role: 'viewer', ...owner });
  const token = path.join(dir, 'token');
  await writeFile(token, `${String(json.token)}\n`);
  const remote = ['--url', `http://127.0.0.1:${plain.server.port}`, '--token-file', token];
  assert.match((await run('devices', ...remote)).out, /^1-1\.4/);
  assert.match((await run('logs', ...remote)).err, /^status\.role-too-low: this needs the role operator/);
});

test('what is wrong on the command line or in the way is said in one line [S6]', async (t) => {
  const { dir } = await appliance(t);
  const two = path.join(dir, 'two');
  await writeFile(two, 'one\ntwo\n');
  for (const [args, code, said] of [
    [
      ['status', '--socket', path.join(dir, 'none.sock')],
      1,
      /^cli\.no-daemon: ask the appliance at .*ENOENT/,
    ],
    [['status', '--url', 'till-3'], 2, /^cli\.usage: --url takes an address/],
    [
      ['status', '--url', 'http://x', '--token-file', path.join(dir, 'none')],
      1,
      /^cli\.unreadable: read .*ENOENT/,
    ],
    [['status', '--url', 'http://x', '--token-file', two], 1, /^cli\.unreadable: read .*one token\n$/],
    [['status', '--colour'], 2, /Unknown option '--colour'/],
    [['statsu'], 2, /Did you mean `autoweave status`/],
  ] as const) {
    const ran = await run(...args);
    assert.equal(ran.code, code, ran.err);
    assert.match(ran.err, said);
    assert.equal(ran.out, '');
  }
});

test('--watch goes on: events as they happen, the state again and again [S6]', async (t) => {
  const { socket, buffer, server } = await appliance(t);
  buffer.append(2);
  const watched = run('events', '--watch', '--json', '--last', '1', '--socket', socket);
  await until('it listens', () => buffer.listeners.size > 1 || buffer.reads.count > 1);
  buffer.append(2);
  const child = spawn(process.execPath, [
    'src/supervisor/main.ts',
    'status',
    '--watch',
    '--json',
    '--socket',
    socket,
  ]);
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  t.after(() => child.kill('SIGKILL'));
  await until('it has looked twice', () => out.split('\n').length > 2, 60_000);
  child.kill('SIGTERM');
  await once(child, 'exit');
  await server.stop();
  const { code, out: events, err } = await watched;
  assert.equal(code, 1);
  assert.match(err, /has ended the stream/);
  const ids = events
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { id: string }).id);
  assert.deepEqual(ids, ['1-2', '1-3', '1-4']);
});

test('bash completes commands, actions and options [S6]', async () => {
  const { code, out } = await run('completion', 'bash');
  assert.equal(code, 0);
  const complete = (...words: string[]) =>
    execFileSync(
      'bash',
      [
        '-c',
        `${out}\nCOMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _autoweave; echo "\${COMPREPLY[*]}"`,
        'x',
        ...words,
      ],
      { encoding: 'utf8' },
    ).trim();
  assert.equal(complete('autoweave', 'stat'), 'status');
  assert.equal(complete('autoweave', 'plugin', 'ins'), 'install');
  assert.equal(complete('autoweave', 'devices', '--wa'), '--watch');
  assert.equal(complete('autoweave', 'device', 'b'), 'block');
  assert.equal(complete('autoweave', 'user', 'pass'), 'password');
  assert.equal(complete('autoweave', 'reboot', '--y'), '--yes');
  assert.equal(complete('autoweave', 'doctor', '--js'), '--json');
  assert.equal(complete('autoweave', 'fact'), 'factory-reset');
  assert.equal(complete('autoweave', 'token', 'rem'), 'remove');
  assert.equal(complete('autoweave', 'account', 'totp-'), 'totp-on totp-off');
  assert.equal(complete('autoweave', 'events', '--be'), '--before');
  assert.equal((await run('completion', 'fish')).code, 2);
});
