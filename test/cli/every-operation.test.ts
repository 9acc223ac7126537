// Whatever the page can ask the appliance for, a command asks for too: each of them is run, and every operation of the API is met.
import assert from 'node:assert/strict';
import { readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { accountCommand } from '../../src/cli/account-command.ts';
import type { Command } from '../../src/cli/command.ts';
import { factoryResetCommand } from '../../src/cli/machine-commands.ts';
import { totpAt, totpStep } from '../../src/status/access/totp.ts';
import { startControl } from '../../src/status/start-control.ts';
import { accessFixture } from '../status/access-fixture.ts';
import { apiClient, goodPassword } from '../status/api-client.ts';
import { fromBase32 } from '../status/from-base32.ts';
import { willingControl, willingDevice } from '../status/willing-control.ts';
import { run } from './run.ts';

/** What is no person's to ask by a command. */
const elsewhere = new Set([
  // For browsers and for programs that watch the appliance.
  ...[
    'get /',
    'get /health',
    'get /ready',
    'get /metrics',
    'get /api/v1/console',
    'get /api/v1/openapi.json',
  ],
  // Whoever is at the control socket, or has a token, is somebody already; the first user is made by `user add`.
  ...['get /api/v1/session', 'post /api/v1/claim'],
  // `plugin list` tells of all.
  'get /api/v1/plugins/{name}',
]);

async function appliance(t: TestContext) {
  const fixture = await accessFixture(t, { control: willingControl, devices: () => [willingDevice] });
  const asked: string[] = [];
  const socket = path.join(fixture.dir, 'control.sock');
  const local = await startControl({
    socket,
    api(request, response) {
      asked.push(`${request.method?.toLowerCase()} ${request.url?.split('?')[0]}`);
      return fixture.server.handleLocal(request, response);
    },
  });
  t.after(() => local.stop());
  const file = async (name: string, text: string) => {
    const at = path.join(fixture.dir, name);
    await writeFile(at, text);
    return at;
  };
  const here = (...argv: readonly string[]) => run(...argv, '--socket', socket);
  return { ...fixture, asked, file, here, words: await file('password', `${goodPassword}\n`) };
}

/** A command at a terminal where somebody types these answers. */
async function typed(
  command: Command,
  args: readonly string[],
  answers: readonly (string | (() => string))[],
) {
  const [said, told]: [string[], string[]] = [[], []];
  const left = [...answers];
  const code = await command.run({
    args,
    environment: {},
    isTerminal: true,
    output: { isTerminal: true, ended: new AbortController().signal },
    print: (text) => void said.push(text),
    complain: (text) => void told.push(text),
    async ask(question) {
      told.push(question);
      const answer = left.shift() ?? '';
      return typeof answer === 'string' ? answer : answer();
    },
  });
  return { code, out: said.join(''), err: told.join('') };
}

test('every operation of the API but those for programs is met by a command [S6]', async (t) => {
  const { asked, buffer, client, dir, file, here, server, words } = await appliance(t);
  buffer.append(3);
  const bundle = await file('probe-1.0.0.awp', 'bundle');
  await file('probe-1.0.0.awp.minisig', 'untrusted comment');
  const trust = await file('trust.json', '{}');
  const names = ['--tenant', 'a', '--site', 'b', '--name', 'c', '--broker', 'mqtts://broker.example'];
  for (const argv of [
    ['status'],
    ['devices'],
    ['events'],
    ['logs'],
    ['settings'],
    ['audit'],
    ['diagnostics', path.join(dir, 'found.json.gz')],
    ['device', 'allow', '1-1.4'],
    ['device', 'block', '1-1.4'],
    ['identify'],
    ['reboot', '--yes'],
    ['factory-reset', '--yes'],
    ['setup', ...names, '--user', 'edge', '--password-file', words, '--replace', '--yes'],
    ['claim-code'],
    ['user', 'add', 'boss', '--role', 'admin', '--password-file', words],
    ['user', 'add', 'ada', '--role', 'viewer', '--password-file', words],
    ['user', 'role', 'ada', '--role', 'operator'],
    ['user', 'list'],
    ['user', 'remove', 'ada', '--yes'],
    ['token', 'add', 'scraper', '--role', 'viewer'],
    ['token', 'list'],
    ['token', 'remove', 'scraper', '--yes'],
    ['plugin', 'install', bundle],
    ['plugin', 'list'],
    ...['enable', 'disable', 'restart', 'rollback', 'logs'].map((verb) => ['plugin', verb, 'probe']),
    ['plugin', 'remove', 'probe', '--yes'],
    ['trust', 'install', trust],
  ]) {
    const { code, err, out } = await here(...argv);
    assert.equal(code, 0, `${argv.join(' ')}: ${err}`);
    assert.notEqual(out, '', argv.join(' '));
  }
  // What the appliance has as its trust document here is none: that it was asked for is enough.
  assert.match((await here('trust', 'current')).err, /^trust\./);

  // As a user of the page, over the network; and the stream, which has no end.
  const url = `http://127.0.0.1:${server.port}`;
  const fresh = await file('fresh', 'another long one\n');
  const mine = ['boss', '--url', url, '--password-file', words];
  const changed = await run('account', 'password', ...mine, '--new-password-file', fresh);
  assert.equal(changed.out, 'boss has another password\n', changed.err);
  const admin = client();
  await admin.logIn('boss', 'another long one');
  const entries = (await admin.call('GET', 'audit')).json.entries as readonly { readonly act: string }[];
  const overNetwork = entries.map(({ act }) => act.replace(/^[A-Z]+/, (method) => method.toLowerCase()));
  const { paths } = (await admin.call('GET', 'openapi.json')).json as unknown as {
    readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  };
  const met = new Set([...asked, ...overNetwork]);
  const missed = Object.entries(paths).flatMap(([at, methods]) =>
    Object.keys(methods)
      .map((method) => `${method} ${at}`)
      .filter((key) => {
        const pattern = new RegExp(`^${key.replace(/[.]/g, '\\.').replace(/\{\w+\}/g, '[^/]+')}$`);
        return !elsewhere.has(key) && ![...met].some((each) => pattern.test(each));
      }),
  );
  // The second factor and --watch have tests of their own.
  assert.deepEqual(missed.sort(), [
    'delete /api/v1/users/me/totp',
    'get /api/v1/events',
    'post /api/v1/users/me/totp',
    'put /api/v1/users/me/totp',
  ]);
});

test('what cannot be undone wants a word or --yes, and does nothing without [S6]', async (t) => {
  const { asked, dir, here } = await appliance(t);
  for (const argv of [
    ['reboot'],
    ['factory-reset'],
    ['plugin', 'remove', 'probe'],
    ['user', 'remove', 'ada'],
    ['token', 'remove', 'scraper'],
    ['setup', '--tenant', 'a', '--site', 'b', '--name', 'c', '--broker', 'mqtts://b.example', '--replace'],
  ]) {
    const { code, err, out } = await here(...argv);
    assert.deepEqual([code, out], [1, ''], argv.join(' '));
    assert.match(err, /^cli\.no-terminal: .*say --yes if that is meant\n$/, argv.join(' '));
  }
  const socket = ['--socket', path.join(dir, 'control.sock')];
  const wrong = await typed(factoryResetCommand, socket, ['yes']);
  assert.equal(wrong.code, 1);
  assert.match(wrong.err, /lost for good\. Type edge-1 to do it: Nothing was done\.\n$/);
  assert.deepEqual(new Set(asked), new Set(['get /api/v1/state']));
  const right = await typed(factoryResetCommand, socket, ['edge-1']);
  assert.deepEqual([right.code, right.out], [0, 'done\n']);
  assert.equal(asked.at(-1), 'post /api/v1/factory-reset');
});

test('settings, audit, parts and diagnostics are told as the page tells them [S6, S7]', async (t) => {
  const { dir, here, words } = await appliance(t);
  assert.equal((await here('settings')).out, 'status.port  1\n');
  const settings = JSON.parse((await here('settings', '--json')).out) as { readonly hidden: unknown };
  assert.deepEqual(settings.hidden, ['uplink.password']);
  assert.match((await here('status')).out, /LED +good\n$/);
  assert.match((await here('status', '--all')).out, /bytes in Redis.*LED +good: health is ok, since /s);

  assert.equal((await here('audit')).out, 'nothing was done yet\n');
  await here('user', 'add', 'boss', '--role', 'admin', '--password-file', words);
  await here('identify');
  const lines = (await here('audit')).out.trim().split('\n');
  assert.match(lines[0] ?? '', /^1 .* local +local +done +POST \/api\/v1\/users: added boss as admin$/);
  assert.match(lines[1] ?? '', /POST \/api\/v1\/identify: done$/);
  assert.equal((await here('audit', '--before', '2')).out.trim().split('\n').length, 1);

  const found = path.join(dir, 'found.gz');
  assert.match((await here('diagnostics', found)).out, /found\.gz: \d+ bytes\n$/);
  assert.equal(gunzipSync(await readFile(found)).toString(), '{}');
  assert.equal((await stat(found)).mode & 0o777, 0o600);
  assert.match((await here('diagnostics', found)).err, /^cli\.exists: write .*found\.gz/);
  assert.match((await here('diagnostics', path.join(dir, 'no/where'))).err, /^cli\.unwritable: .*ENOENT/);
  assert.match((await here('diagnostics')).err, /^cli\.usage: one FILE is needed/);
});

test('a token goes into a file of its own, plugins are told of over the network with it, and taken back it opens nothing [S6, S8]', async (t) => {
  const { client, claimCode, dir, file, here, server } = await appliance(t);
  await client().claim(claimCode());
  const kept = path.join(dir, 'token');
  assert.equal((await here('token', 'add', 'laptop', '--role', 'operator', '--out', kept)).out, `${kept}\n`);
  assert.equal((await stat(kept)).mode & 0o777, 0o600);
  assert.match((await here('token', 'list')).out, /^laptop {2}operator {2}since /);
  const again = await here('token', 'add', 'other', '--role', 'viewer', '--out', kept);
  assert.match(again.err, /^cli\.exists/);
  const twice = path.join(dir, 'twice');
  assert.match(
    (await here('token', 'add', 'laptop', '--role', 'viewer', '--out', twice)).err,
    /^status\.token-exists/,
  );
  await assert.rejects(stat(twice), { code: 'ENOENT' });
  assert.match((await here('token', 'add', 'x')).err, /^cli\.usage: --role is needed/);

  const remote = ['--url', `http://127.0.0.1:${server.port}`, '--token-file', kept];
  assert.match((await run('plugin', 'list', ...remote)).out, /^NAME .*\nprobe /);
  assert.match((await run('plugin', 'restart', 'probe', ...remote)).out, /^done\nNAME /);
  assert.match((await run('plugin', 'remove', 'probe', '--yes', ...remote)).err, /^status\.role-too-low/);
  assert.match((await run('audit', ...remote)).err, /^status\.role-too-low: .*admin/);
  assert.equal((await here('token', 'remove', 'laptop', '--yes')).out, 'laptop is removed\n');
  assert.match((await run('plugin', 'list', ...remote)).err, /^status\.login-needed/);
  assert.match(
    (await here('setup', '--tenant', 'a')).err,
    /^cli\.usage: --tenant, --site, --name and --broker/,
  );
  const names = ['--tenant', 'a', '--site', 'b', '--name', 'c', '--broker', 'mqtts://broker.example'];
  assert.match((await here('setup', ...names)).err, /^system\.provisioned: /);
  const words = await file('words', 'x\n');
  assert.match((await here('setup', ...names, '--password-file', words)).err, /^cli\.usage: .*--user/);
});

test('a user switches his second factor on, logs in with it and switches it off from a terminal [S6, S8]', async (t) => {
  const { claimCode, client, clock, server } = await appliance(t);
  await client().claim(claimCode());
  const where = ['boss', '--url', `http://127.0.0.1:${server.port}`];
  let secret = '';
  const code = () => {
    clock.advance(60_000);
    return totpAt(fromBase32(secret), totpStep(clock.now().wallMs)).replace(/^.../, '$& ');
  };
  const told: string[] = [];
  const on = await accountCommand.run({
    ...{
      args: ['totp-on', ...where],
      environment: {},
      isTerminal: true,
      output: { isTerminal: true, ended: new AbortController().signal },
      print: (text) => void told.push(text),
    },
    complain(text) {
      secret = /^Secret: ([A-Z2-7]+)\notpauth:/.exec(text)?.[1] ?? secret;
    },
    ask: async (question) => (question.startsWith('Password') ? goodPassword : code()),
  });
  assert.deepEqual([on, told], [0, ['boss has a second factor\n']]);
  assert.equal((await apiClient(server.port).logIn('boss', goodPassword)).json.code, 'status.totp-needed');
  const wrong = await typed(accountCommand, ['totp-off', ...where], [goodPassword, code, '000000']);
  assert.equal(wrong.code, 1);
  assert.match(wrong.err, /status\.totp-wrong: /);
  const off = await typed(accountCommand, ['totp-off', ...where, '--json'], [goodPassword, code, code]);
  assert.deepEqual(JSON.parse(off.out), { detail: 'boss has no second factor' });
  assert.equal((await apiClient(server.port).logIn('boss', goodPassword)).status, 200);
  assert.match((await run('account', 'password', ...where)).err, /^cli\.no-terminal/);
  assert.match((await run('account', 'password', 'boss')).err, /^cli\.usage: --url is needed/);
});

test('events are looked up by type and before an id [S6]', async (t) => {
  const { buffer, here } = await appliance(t);
  buffer.append(5);
  const ids = (out: string) =>
    out
      .trim()
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.split(/ +/)[1]);
  assert.deepEqual(ids((await here('events', '--before', '1-4', '--last=2')).out), ['1-2', '1-3']);
  assert.deepEqual(ids((await here('events', '--type', 'usb.', '--last', '1')).out), ['1-5']);
  assert.deepEqual(ids((await here('events', '--type', 'plugin.')).out), []);
  assert.match((await here('events', '--before', '1-4', '--watch')).err, /^cli\.usage: .*say one of them/);
  assert.match((await here('events', '--last', 'x')).err, /^cli\.usage: --last takes a whole number/);
});
