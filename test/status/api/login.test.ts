import assert from 'node:assert/strict';
import { stat } from 'node:fs/promises';
import test from 'node:test';
import type { AuditEntry } from '../../../src/contracts/api-access.ts';
import { totpAt, totpStep } from '../../../src/status/access/totp.ts';
import { accessFixture } from '../access-fixture.ts';
import { type ApiReply, apiClient, goodPassword, owner } from '../api-client.ts';
import { fromBase32 } from '../from-base32.ts';

const said = ({ status, json }: ApiReply) => `${status} ${json.code ?? 'ok'}`;

test('before it is claimed the appliance shows its state and lets nobody change anything [S8, I8]', async (t) => {
  const { client } = await accessFixture(t);
  const page = client();
  for (const path of ['session', 'state', 'console', 'openapi.json'])
    assert.equal(said(await page.call('GET', path)), '200 ok', path);
  for (const [method, path, body] of [
    ['GET', 'devices'],
    ['GET', 'events/history'],
    ['GET', 'settings'],
    ['GET', 'users'],
    ['POST', 'reboot'],
    ['POST', 'identify', { seconds: 1 }],
    ['POST', 'plugins/x/restart'],
    ['POST', 'users', { name: 'eve', password: goodPassword, role: 'admin' }],
    ['DELETE', 'session'],
  ] as const)
    assert.equal(said(await page.call(method, path, body)), '403 status.unclaimed', path);
});

test('who sends the code of the console becomes administrator, once, and is logged in [I8]', async (t) => {
  const { client, claimCode, shown, usersFile } = await accessFixture(t);
  const [page, late] = [client(), client()];
  const code = claimCode();
  assert.match(code, /^[2-9A-HJ-NP-TV-Z]{4}-[2-9A-HJ-NP-TV-Z]{4}$/);
  assert.equal(said(await page.claim('AAAA-AAAA')), '403 status.claim-refused');
  const claimed = await page.claim(code.toLowerCase().replace('-', ' '));
  assert.equal(said(claimed), '201 ok');
  assert.match(
    String(claimed.headers['set-cookie']),
    /^autoweave=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/,
  );
  assert.deepEqual((await page.call('GET', 'session')).json.user, { name: 'boss', role: 'admin' });
  assert.equal((await stat(usersFile)).mode & 0o777, 0o600);
  assert.equal(said(await late.claim(code)), '409 status.already-claimed');
  assert.equal(shown.at(-1), null, 'the console shows it no more');
});

test('whoever guesses at the code waits longer each time, and the right one claims after it [I8]', async (t) => {
  const { client, claimCode, clock } = await accessFixture(t);
  const page = client();
  const replies: string[] = [];
  for (let tries = 0; tries < 8; tries++) {
    replies.push(said(await page.claim('AAAA-AAAA')));
    if (replies.at(-1) === '429 status.locked-out') clock.advance(900_000);
  }
  assert.deepEqual(new Set(replies), new Set(['403 status.claim-refused', '429 status.locked-out']));
  clock.advance(900_000);
  assert.equal(said(await page.claim(claimCode())), '201 ok');
});

test('a session of another, an old one, a changed one or none can do nothing [S8]', async (t) => {
  const { client, claimCode, clock } = await accessFixture(t);
  const page = client();
  await page.claim(claimCode());
  const act = () => page.call('POST', 'users', { name: 'x', password: 'short', role: 'viewer', ...owner });
  assert.equal(said(await act()), '400 status.invalid-request', 'may, but it is wrong');
  const { cookie, csrf } = page;
  for (const wrong of ['', 'x', 'x'.repeat(43), `${csrf}x`]) {
    page.csrf = wrong;
    assert.equal(said(await act()), '403 status.csrf-wrong', wrong);
  }
  page.csrf = csrf;
  for (const wrong of [
    '',
    'autoweave=',
    `autoweave=${'x'.repeat(43)}`,
    cookie.slice(0, -1),
    `__Host-${cookie}`,
  ]) {
    page.cookie = wrong;
    assert.equal(said(await act()), '401 status.login-needed', wrong);
  }
  page.cookie = cookie;
  assert.equal(said(await page.call('DELETE', 'session')), '204 ok');
  assert.equal(said(await act()), '401 status.login-needed', 'logged out');
  await page.logIn('boss', goodPassword);
  assert.equal(said(await act()), '400 status.invalid-request');
  clock.advance(31 * 60_000);
  assert.equal(said(await act()), '401 status.login-needed', 'idle for too long');
});

test('a foreign page cannot make a browser change anything, whatever cookie it sends [S8]', async (t) => {
  const { client, claimCode, server } = await accessFixture(t);
  const page = client();
  await page.claim(claimCode());
  const own = `127.0.0.1:${server.port}`;
  for (const [headers, expected] of [
    [{ Origin: 'https://evil.example' }, '403 status.origin-not-allowed'],
    [{ Origin: 'null' }, '403 status.origin-not-allowed'],
    [{ 'Sec-Fetch-Site': 'cross-site' }, '403 status.origin-not-allowed'],
    [{ Host: own, Origin: `http://${own}` }, '204 ok'],
  ] as const)
    assert.equal(said(await page.call('DELETE', 'session', undefined, { ...headers })), expected);
  const login = { name: 'boss', password: goodPassword };
  assert.equal(
    said(await page.call('POST', 'session', login, { Origin: 'https://evil.example' })),
    '403 status.origin-not-allowed',
  );
  assert.equal(
    said(await page.call('POST', 'session', login, { 'Content-Type': 'text/plain' })),
    '415 status.body-not-json',
  );
});

test('viewer, operator and administrator may do what is theirs, and a changed role holds at once [S8]', async (t) => {
  const { client, claimCode } = await accessFixture(t);
  const admin = client();
  await admin.claim(claimCode());
  const page = client();
  await admin.call('POST', 'users', { name: 'ada', password: goodPassword, role: 'viewer', ...owner });
  await page.logIn('ada', goodPassword);
  const may = async () => {
    const replies = [
      await page.call('GET', 'devices'),
      await page.call('POST', 'identify', { seconds: 1 }),
      await page.call('POST', 'reboot'),
    ];
    return replies.map((reply) => (reply.json.code === 'status.role-too-low' ? 'no' : said(reply)));
  };
  const unavailable = '503 test.unavailable';
  assert.deepEqual(await may(), ['200 ok', 'no', 'no']);
  await admin.call('PUT', 'users/ada', { role: 'operator', ...owner });
  assert.equal(said(await page.call('GET', 'devices')), '401 status.login-needed', 'his sessions have ended');
  await page.logIn('ada', goodPassword);
  assert.deepEqual(await may(), ['200 ok', unavailable, 'no']);
  await admin.call('PUT', 'users/ada', {
    ...{ role: 'admin', password: 'another long one', ...owner },
  });
  assert.equal(said(await page.logIn('ada', goodPassword)), '401 status.login-refused');
  await page.logIn('ada', 'another long one');
  assert.deepEqual(await may(), ['200 ok', unavailable, unavailable]);
  assert.equal(said(await admin.call('DELETE', 'users/ada')), '204 ok');
  assert.equal(said(await page.call('GET', 'devices')), '401 status.login-needed');
});

test('a token is a program’s login: no cookie, no second word, its role [S8]', async (t) => {
  const { client, claimCode } = await accessFixture(t);
  const admin = client();
  await admin.claim(claimCode());
  const { json } = await admin.call('POST', 'tokens', { name: 'scraper', role: 'operator', ...owner });
  const program = client();
  program.headers.Authorization = `Bearer ${String(json.token)}`;
  assert.equal(said(await program.call('GET', 'devices')), '200 ok');
  assert.equal(said(await program.call('POST', 'identify', { seconds: 1 })), '503 test.unavailable');
  assert.equal(said(await program.call('GET', 'users')), '403 status.role-too-low');
  assert.equal(said(await program.call('POST', 'users/me/totp')), '409 status.no-user');
  assert.ok(!JSON.stringify((await admin.call('GET', 'tokens')).json).includes(String(json.token)));
  await admin.call('DELETE', 'tokens/scraper');
  assert.equal(said(await program.call('GET', 'devices')), '401 status.login-needed');
});

test('with a second factor the password alone is not enough, and a code counts once [S8]', async (t) => {
  const { client, claimCode, clock, usersFile } = await accessFixture(t);
  const page = client();
  await page.claim(claimCode());
  const offer = await page.call('POST', 'users/me/totp');
  const secret = fromBase32(String(offer.json.secret));
  const code = (offset = 0) => totpAt(secret, totpStep(clock.now().wallMs) + offset);
  const isOn = async () => (await page.call('GET', 'session')).json.totp;
  assert.equal((await client().call('GET', 'session')).json.totp, null);
  assert.equal(await isOn(), false);
  assert.equal(
    said(await page.call('PUT', 'users/me/totp', { code: code(7), current: goodPassword })),
    '403 status.totp-wrong',
  );
  const fresh = client();
  assert.equal(said(await fresh.logIn('boss', goodPassword)), '200 ok', 'not on yet');
  assert.equal(
    said(await page.call('PUT', 'users/me/totp', { code: code(), current: goodPassword })),
    '204 ok',
  );
  assert.equal(await isOn(), true);
  assert.equal(said(await page.call('POST', 'users/me/totp')), '409 status.totp-on', 'not put in its place');
  assert.equal(said(await fresh.logIn('boss', goodPassword)), '401 status.totp-needed');
  assert.equal(said(await fresh.logIn('boss', goodPassword, code())), '401 status.login-refused', 'used');
  clock.advance(60_000);
  assert.equal(said(await fresh.logIn('boss', 'a wrong password', code())), '401 status.login-refused');
  assert.equal(said(await fresh.logIn('boss', goodPassword, code())), '200 ok');
  clock.advance(60_000);
  assert.equal(said(await fresh.call('DELETE', 'users/me/totp', { code: code() })), '204 ok');
  assert.equal(said(await fresh.logIn('boss', goodPassword)), '200 ok');
  assert.equal((await stat(usersFile)).mode & 0o777, 0o600);
});

test('a user changes his own password with the current one, and his other sessions end [S8]', async (t) => {
  const { client, claimCode } = await accessFixture(t);
  const admin = client();
  await admin.claim(claimCode());
  await admin.call('POST', 'users', { name: 'ada', password: goodPassword, role: 'viewer', ...owner });
  const [here, elsewhere] = [client(), client()];
  await here.logIn('ada', goodPassword);
  await elsewhere.logIn('ada', goodPassword);
  const next = 'another long one';
  const change = (current: string) => here.call('PUT', 'users/me/password', { current, password: next });
  assert.equal(said(await change('a guess')), '403 status.password-wrong');
  assert.equal(said(await elsewhere.call('GET', 'devices')), '200 ok', 'a guess ends nothing');
  assert.equal(said(await change(goodPassword)), '204 ok');
  assert.equal(said(await here.call('GET', 'devices')), '200 ok', 'his own stays');
  assert.equal(said(await elsewhere.call('GET', 'devices')), '401 status.login-needed');
  assert.equal(said(await elsewhere.logIn('ada', goodPassword)), '401 status.login-refused');
  assert.equal(said(await elsewhere.logIn('ada', next)), '200 ok');
  const entries = (await admin.call('GET', 'audit')).json.entries as readonly AuditEntry[];
  assert.deepEqual(
    entries
      .filter(({ act }) => act.endsWith('/password'))
      .map(({ who, outcome, detail }) => `${who} ${outcome} ${detail}`),
    [
      'ada done changed the own password',
      'ada refused status.password-wrong: the current password is not this one',
    ],
  );
  const { json } = await admin.call('POST', 'tokens', { name: 'scraper', role: 'admin', ...owner });
  const program = client();
  program.headers.Authorization = `Bearer ${String(json.token)}`;
  const asked = { current: goodPassword, password: next };
  assert.equal(said(await program.call('PUT', 'users/me/password', asked)), '409 status.no-user');
});

test('who guesses a password is locked out, longer each time, and told for how long [S8]', async (t) => {
  const { client, claimCode, clock, auditText } = await accessFixture(t);
  await client().claim(claimCode());
  const guesser = client();
  const burst = await Promise.all(Array.from({ length: 12 }, () => guesser.logIn('boss', 'wrong password')));
  assert.equal(burst.filter(({ status }) => status === 401).length, 4, 'also when all come at once');
  const locked = burst.find(({ status }) => status === 429);
  assert.equal(locked?.json.code, 'status.locked-out');
  assert.equal(locked?.headers['retry-after'], '2');
  assert.equal(locked?.json.retryAfterSeconds, 2);
  assert.equal(
    said(await guesser.logIn('boss', goodPassword)),
    '429 status.locked-out',
    'also with the right one',
  );
  clock.advance(2_000);
  assert.equal(said(await guesser.logIn('boss', goodPassword)), '200 ok');
  const entries = (await auditText())
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as AuditEntry);
  assert.equal(entries.filter(({ outcome }) => outcome === 'refused').length, 4);
});

test('the same refusal for a name that is none and a password that is wrong [S8]', async (t) => {
  const { client, claimCode, server } = await accessFixture(t);
  await client().claim(claimCode());
  const [none, wrong] = [
    await apiClient(server.port).logIn('nobody', 'some password'),
    await apiClient(server.port).logIn('boss', 'some password'),
  ];
  assert.deepEqual(none.json, wrong.json);
});

test('who did what stands in the audit, of strangers only what they tried at the door [S8]', async (t) => {
  const { client, claimCode, auditText } = await accessFixture(t);
  const page = client();
  await page.call('POST', 'reboot');
  await page.claim(claimCode());
  await page.call('POST', 'users', { name: 'ada', password: goodPassword, role: 'viewer', ...owner });
  await page.call('POST', 'reboot');
  await client().logIn('boss', 'a wrong password');
  const entries = (await page.call('GET', 'audit')).json.entries as readonly AuditEntry[];
  assert.deepEqual(
    entries.map(({ who, act, outcome, detail }) => `${who} ${act} ${outcome} ${detail}`),
    [
      'nobody POST /api/v1/session refused status.login-refused (as boss): name or password is wrong',
      'boss POST /api/v1/reboot refused test.unavailable: this appliance does nothing',
      'boss POST /api/v1/users done added ada as viewer',
      'boss POST /api/v1/claim done logged in',
    ],
  );
  assert.doesNotMatch(await auditText(), /correct horse|wrong password/);
  const second = await page.call('GET', 'audit?limit=1&before=4');
  assert.equal(second.json.next, 3);
});

test('status.public all shows a kiosk what a viewer may read, and nothing else [S8]', async (t) => {
  const { client, claimCode } = await accessFixture(t, { status: { public: 'all' } });
  await client().claim(claimCode());
  const kiosk = client();
  assert.equal(said(await kiosk.call('GET', 'devices')), '200 ok');
  for (const path of ['logs', 'settings', 'users', 'audit', 'diagnostics'])
    assert.equal(said(await kiosk.call('GET', path)), '401 status.login-needed', path);
  assert.equal(said(await kiosk.call('POST', 'reboot')), '401 status.login-needed');
});
