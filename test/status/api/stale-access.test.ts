// What a session leaves open behind it: streams, codes to guess, older cookies, room in the audit.
import assert from 'node:assert/strict';
import test from 'node:test';
import type { AuditEntry } from '../../../src/contracts/api-access.ts';
import { totpAt, totpStep } from '../../../src/status/access/totp.ts';
import { accessFixture } from '../access-fixture.ts';
import { type ApiReply, goodPassword, owner } from '../api-client.ts';
import { fromBase32 } from '../from-base32.ts';
import { openSse } from '../sse-client.ts';
import { ask } from '../status-fixture.ts';
import { willingControl } from '../willing-control.ts';

const said = ({ status, json }: ApiReply) => `${status} ${json.code ?? 'ok'}`;

test('a live stream ends with the session, the user or the token that opened it, and tells nothing more [S8, S3]', async (t) => {
  const { buffer, client, claimCode, clock, server } = await accessFixture(t, {
    limits: { heartbeatMs: 25 },
  });
  const boss = client();
  await boss.claim(claimCode());
  await boss.call('POST', 'users', { name: 'ada', password: goodPassword, role: 'viewer', ...owner });
  const { token } = (await boss.call('POST', 'tokens', { name: 'wall', role: 'viewer', ...owner })).json;
  const listen = async (headers: Readonly<Record<string, string>>) => {
    const listener = await openSse(t, server.port, { query: '?last=1', headers });
    assert.equal(listener.response.statusCode, 200);
    return listener;
  };
  const byCookie = async (name: string) => {
    const page = client();
    await page.logIn(name, goodPassword);
    return { page, listener: await listen({ Cookie: page.cookie }) };
  };
  buffer.append(1);
  const left = await byCookie('boss');
  const removed = await byCookie('ada');
  const stays = await byCookie('boss');
  const wall = await listen({ Authorization: `Bearer ${String(token)}` });
  for (const each of [left.listener, removed.listener, stays.listener, wall]) await each.received(1);

  assert.equal((await left.page.call('DELETE', 'session')).status, 204);
  assert.equal((await boss.call('DELETE', 'users/ada')).status, 204);
  assert.equal((await boss.call('DELETE', 'tokens/wall')).status, 204);
  // Told at once, and not only with the next heartbeat.
  buffer.append(1);
  for (const each of [left.listener, removed.listener, wall]) {
    await each.ended;
    assert.deepEqual(each.ids(), ['1-1']);
  }
  await stays.listener.received(2);
  assert.deepEqual(stays.listener.ids(), ['1-1', '1-2']);
  // Nothing happens on the bus: the heartbeat sees that the session is over, and keeps it no younger.
  clock.advance(31 * 60_000);
  await stays.listener.ended;
  assert.equal(said(await stays.page.call('GET', 'devices')), '401 status.login-needed');
});

test('the device list of the stream goes to nobody whose session is over [S8, S3]', async (t) => {
  const { client, claimCode, server } = await accessFixture(t);
  const boss = client();
  await boss.claim(claimCode());
  const listen = async () => {
    const page = client();
    await page.logIn('boss', goodPassword);
    const listener = await openSse(t, server.port, { query: '?devices', headers: { Cookie: page.cookie } });
    await listener.received(1);
    return { page, listener };
  };
  const [left, stays] = [await listen(), await listen()];
  assert.equal((await left.page.call('DELETE', 'session')).status, 204);
  server.devicesChanged();
  await left.listener.ended;
  await stays.listener.received(2);
  assert.equal(left.listener.messages.length, 1);
});

test('who has copied a session cannot guess the code that switches the second factor off [S8]', async (t) => {
  const { client, claimCode, clock } = await accessFixture(t);
  const page = client();
  await page.claim(claimCode());
  const { secret } = (await page.call('POST', 'users/me/totp')).json;
  const code = () => totpAt(fromBase32(String(secret)), totpStep(clock.now().wallMs));
  assert.equal(
    said(await page.call('PUT', 'users/me/totp', { code: code(), current: goodPassword })),
    '204 ok',
  );
  clock.advance(60_000);
  const wrong = String((Number(code()) + 500_000) % 1_000_000).padStart(6, '0');
  const burst = await Promise.all(
    Array.from({ length: 9 }, () => page.call('DELETE', 'users/me/totp', { code: wrong })),
  );
  assert.equal(burst.filter((reply) => said(reply) === '403 status.totp-wrong').length, 4);
  assert.equal(burst.filter((reply) => said(reply) === '429 status.locked-out').length, 5);
  assert.equal(said(await page.call('DELETE', 'users/me/totp', { code: code() })), '429 status.locked-out');
  clock.advance(60_000);
  assert.equal(said(await page.call('DELETE', 'users/me/totp', { code: code() })), '204 ok');
});

test('a login over a login ends the first one: its cookie opens nothing any more [S8]', async (t) => {
  const { client, claimCode } = await accessFixture(t);
  const page = client();
  await page.claim(claimCode());
  const { cookie: first } = page;
  assert.equal(said(await page.logIn('boss', goodPassword)), '200 ok');
  assert.notEqual(page.cookie, first);
  assert.equal(said(await page.call('GET', 'users')), '200 ok');
  const old = await page.call('GET', 'users', undefined, { Cookie: first });
  assert.equal(said(old), '401 status.login-needed');
  // A cookie that somebody else put there is never taken over.
  const planted = client();
  planted.cookie = `autoweave=${'A'.repeat(43)}`;
  assert.equal(said(await planted.logIn('boss', goodPassword)), '200 ok');
  assert.ok(!planted.cookie.includes('AAAA'));
});

test('strangers with many addresses cannot push out of the audit what users did [S8]', async (t) => {
  const { client, claimCode, clock, server } = await accessFixture(t);
  const page = client();
  await page.claim(claimCode());
  const knock = (address: number) => {
    const body = JSON.stringify({ name: `name-${address}`, password: 'a guess' });
    const headers = { 'Content-Type': 'application/json', 'Content-Length': String(body.length) };
    const localAddress = `127.0.1.${address + 1}`;
    return ask(server.port, '/api/v1/session', { method: 'POST', headers, body, localAddress });
  };
  for (let address = 0; address < 70; address++) assert.equal((await knock(address)).status, 401);
  const strangers = async () =>
    ((await page.call('GET', 'audit?limit=200')).json.entries as readonly AuditEntry[]).filter(
      ({ who }) => who === 'nobody',
    );
  assert.equal((await strangers()).length, 60);
  clock.advance(60_000);
  assert.equal((await knock(70)).status, 401);
  const [newest] = await strangers();
  assert.match(newest?.detail ?? '', /\(as name-70\): .*; before it 10 more that stand nowhere$/);
});

test('who may read only cannot push out of the audit what others did, neither logged in nor with a token [S8]', async (t) => {
  const { client, claimCode, clock } = await accessFixture(t, { control: willingControl });
  const [boss, ada, program] = [client(), client(), client()];
  await boss.claim(claimCode());
  await boss.call('POST', 'users', { name: 'ada', password: goodPassword, role: 'viewer', ...owner });
  const { token } = (await boss.call('POST', 'tokens', { name: 'wall', role: 'viewer', ...owner })).json;
  await ada.logIn('ada', goodPassword);
  program.headers.Authorization = `Bearer ${String(token)}`;
  const newest = async () =>
    (await boss.call('GET', 'audit?limit=200')).json.entries as readonly AuditEntry[];
  const refusedOf = async (name: string) =>
    (await newest()).filter(({ who, outcome }) => who === name && outcome === 'refused');

  for (let tries = 0; tries < 70; tries++) {
    assert.equal(said(await ada.call('POST', 'reboot')), '403 status.role-too-low');
    assert.equal(said(await program.call('POST', 'reboot')), '403 status.role-too-low');
  }
  assert.equal((await refusedOf('ada')).length, 60);
  assert.equal((await refusedOf('token:wall')).length, 60);
  const { csrf } = ada;
  ada.csrf = 'wrong';
  for (let tries = 0; tries < 5; tries++)
    assert.equal(said(await ada.call('DELETE', 'session')), '403 status.csrf-wrong');
  assert.equal((await refusedOf('ada')).length, 60, 'whatever he is refused for');
  // Of another caller it is written at once.
  assert.equal(
    said(await boss.call('POST', 'users', { name: 'eve', password: goodPassword, role: 'admin' })),
    '403 status.password-needed',
  );
  assert.equal((await refusedOf('boss')).length, 1);

  clock.advance(60_000);
  await ada.call('DELETE', 'session');
  assert.match(
    (await newest())[0]?.detail ?? '',
    /^status\.csrf-wrong: .*; before it 15 more that stand nowhere$/,
  );
  ada.csrf = csrf;
  assert.equal(said(await ada.call('DELETE', 'session')), '204 ok');
  assert.equal((await newest())[0]?.outcome, 'done');

  // What was done is always written.
  for (let times = 0; times < 70; times++)
    assert.equal(said(await boss.call('POST', 'identify', { seconds: 1 })), '202 ok');
  const did = (await newest()).filter(({ act, outcome }) => act.endsWith('/identify') && outcome === 'done');
  assert.equal(did.length, 70);
});
