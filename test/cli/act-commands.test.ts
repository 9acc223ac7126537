// What the commands ask of an appliance, through its control socket and with a token, and what they say when it says no.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import type { AuditEntry } from '../../src/contracts/api-access.ts';
import type { ApplianceControl } from '../../src/contracts/appliance-control.ts';
import type { UsbDevice } from '../../src/contracts/usb-device.ts';
import { startControl } from '../../src/status/start-control.ts';
import { accessFixture } from '../status/access-fixture.ts';
import { apiClient, goodPassword, owner } from '../status/api-client.ts';
import { idleControl } from '../status/idle-control.ts';
import { run } from './run.ts';

const device: UsbDevice = {
  ...{ port: '1-1.4', bus: 1, address: 2, identity: null, hasSerial: false, configurations: 1 },
  ...{ interfaces: [], problems: [] },
};

async function appliance(t: TestContext) {
  const asked: string[] = [];
  const did = (what: string) => {
    asked.push(what);
    return { ok: true, detail: what } as const;
  };
  const control: ApplianceControl = {
    ...idleControl,
    judgeDevice: async ({ port, reason, target }) =>
      port === device.port
        ? did(`${port} ${target} (${reason})`)
        : { ok: false, code: 'policy.not-there', reason: `no device is at port ${port}` },
    identify: (seconds) => did(`identify for ${seconds} s`),
    askMachine: async (what) => did(what),
  };
  const fixture = await accessFixture(t, { control, devices: () => [device] });
  const socket = path.join(fixture.dir, 'control.sock');
  const local = await startControl({ socket, api: fixture.server.handleLocal });
  t.after(() => local.stop());
  const words = path.join(fixture.dir, 'password');
  await writeFile(words, `${goodPassword}\n`);
  const here = (...argv: readonly string[]) => run(...argv, '--socket', socket);
  return { ...fixture, asked, here, socket, words };
}

test('a device is allowed and blocked, the box identified and started again from the command line [S6]', async (t) => {
  const { asked, here } = await appliance(t);
  assert.equal((await here('device', 'allow', '1-1.4')).out, '1-1.4 allow (local)\n');
  const blocked = await here('device', 'block', '1-1.4', '--reason', 'not one of ours', '--json');
  assert.deepEqual(JSON.parse(blocked.out), { device, detail: '1-1.4 block (local: not one of ours)' });
  assert.equal((await here('identify')).out, 'identify for 30 s\n');
  assert.equal((await here('identify', '--seconds', '0')).out, 'identify for 0 s\n');
  assert.equal((await here('reboot', '--yes')).out, 'reboot\n');
  assert.equal(asked.length, 5);
});

test('a device that is not there, a port that is none and a reboot that nobody confirms are refused [S6]', async (t) => {
  const { asked, here } = await appliance(t);
  for (const [argv, code, said] of [
    [['device', 'allow', '1-9'], 1, /^policy\.not-there: .*`autoweave devices` lists the ports\.\n$/],
    [['device', 'allow', 'usb1'], 2, /^cli\.usage: PORT is one that `autoweave devices` lists/],
    [['device', 'alow', '1-1.4'], 2, /Did you mean allow/],
    [['device', 'allow'], 2, /^cli\.usage: one PORT is needed/],
    [['identify', '--seconds', '301'], 2, /^cli\.usage: --seconds takes at most 300/],
    [['reboot'], 1, /^cli\.no-terminal: .*--yes/],
    [
      ['user', 'add', 'ada', '--role', 'root'],
      2,
      /^cli\.usage: --role is needed: viewer, operator, admin, not root/,
    ],
    [['user', 'add', 'ada', '--role', 'viewer'], 1, /^cli\.no-terminal: .*--password-file FILE\n$/],
    [['user', 'remove', 'ada', '--yes'], 1, /^status\.user-unknown: there is no user ada/],
  ] as const) {
    const ran = await here(...argv);
    assert.equal(ran.code, code, ran.err);
    assert.match(ran.err, said);
    assert.equal(ran.out, '');
  }
  assert.deepEqual(asked, []);
});

test('the code to claim with comes through the local socket, until there is an administrator [S6, I8]', async (t) => {
  const { claimCode, client, here, shown, words } = await appliance(t);
  assert.equal((await here('claim-code')).out, `${claimCode()}\n`);
  assert.deepEqual(JSON.parse((await here('claim-code', '--json')).out), { code: claimCode() });
  const stranger = await client().call('GET', 'claim-code');
  assert.deepEqual([stranger.status, stranger.json.code], [403, 'status.unclaimed']);
  assert.ok(!stranger.body.includes(claimCode()));

  assert.match((await here('user', 'list')).out, /^nobody: `autoweave claim-code`/);
  const low = await here('user', 'add', 'ada', '--role', 'viewer', '--password-file', words);
  assert.match(
    low.err,
    /^status\.first-not-admin: the first user has to be an administrator.* Give this one the role admin \(--role admin\)\.\n$/,
  );
  const first = await here('user', 'add', 'boss', '--role', 'admin', '--password-file', words);
  assert.equal(first.out, 'boss is admin\n', first.err);
  assert.equal(shown.at(-1), null, 'the console shows it no more');
  const late = await here('claim-code');
  assert.equal(late.code, 1);
  assert.match(late.err, /^status\.already-claimed: .* Log in\.\n$/);
  const admin = client();
  assert.equal((await admin.logIn('boss', goodPassword)).status, 200);
  assert.equal((await admin.call('GET', 'claim-code')).status, 409);
});

test('users are listed, added, changed and removed, here and in the network, and the audit says by whom [S6, S8]', async (t) => {
  const { claimCode, client, dir, here, server, words } = await appliance(t);
  const admin = client();
  await admin.claim(claimCode());
  assert.equal((await here('user', 'add', 'ada', '--role', 'viewer', '--password-file', words)).code, 0);
  const again = await here('user', 'add', 'ada', '--role', 'viewer', '--password-file', words);
  assert.match(again.err, /^status\.user-exists/);
  assert.match((await here('user', 'list')).out, /^boss {2}admin {5}no second factor, .*\nada {3}viewer /);
  const listed = JSON.parse((await here('user', 'list', '--json')).out) as readonly {
    readonly name: string;
  }[];
  assert.deepEqual(
    listed.map(({ name }) => name),
    ['boss', 'ada'],
  );
  assert.equal((await here('user', 'role', 'ada', '--role', 'operator')).out, 'ada is operator\n');

  const { json } = await admin.call('POST', 'tokens', { name: 'laptop', role: 'admin', ...owner });
  const token = path.join(dir, 'token');
  await writeFile(token, String(json.token));
  await writeFile(words, 'another long one\n');
  const remote = ['--url', `http://127.0.0.1:${server.port}`, '--token-file', token];
  const changed = await run('user', 'password', 'ada', '--password-file', words, ...remote);
  assert.equal(changed.out, 'ada has another password\n', changed.err);
  assert.equal((await apiClient(server.port).logIn('ada', 'another long one')).status, 200);
  await writeFile(words, 'short\n');
  assert.match(
    (await here('user', 'password', 'ada', '--password-file', words)).err,
    /^cli\.usage: .*10 are needed/,
  );
  assert.equal((await run('user', 'remove', 'ada', '--yes', ...remote)).out, 'ada is removed\n');
  assert.match((await here('user', 'remove', 'boss', '--yes')).err, /^status\.last-admin/);

  const entries = (await admin.call('GET', 'audit')).json.entries as readonly AuditEntry[];
  const told = entries.map(({ detail, outcome, who }) => `${who} ${outcome} ${detail}`);
  for (const line of [
    'local done added ada as viewer',
    'local done changed role of ada',
    'token:laptop done changed password of ada',
    'token:laptop done removed ada',
  ])
    assert.ok(told.includes(line), `${line} in ${told.join('; ')}`);
});
