// What somebody can do who has copied the session of a user who is logged in: little, and slowly.
import assert from 'node:assert/strict';
import test from 'node:test';
import type { AuditEntry } from '../../../src/contracts/api-access.ts';
import { totpAt, totpStep } from '../../../src/status/access/totp.ts';
import { accessFixture } from '../access-fixture.ts';
import { type ApiReply, goodPassword, owner } from '../api-client.ts';
import { fromBase32 } from '../from-base32.ts';

const said = ({ status, json }: ApiReply) => `${status} ${json.code ?? 'ok'}`;

test('who guesses the password of a session he has copied is locked out, and its owner still logs in [S8]', async (t) => {
  const { client, claimCode, clock } = await accessFixture(t);
  const page = client();
  await page.claim(claimCode());
  const change = (current: string) =>
    page.call('PUT', 'users/me/password', { current, password: 'of a stranger' });
  const burst = await Promise.all(Array.from({ length: 8 }, () => change('a guess')));
  assert.equal(burst.filter(({ status }) => status === 403).length, 4, 'also when all come at once');
  assert.equal(burst.filter(({ json }) => json.code === 'status.locked-out').length, 4);
  assert.equal(said(await change(goodPassword)), '429 status.locked-out', 'also with the right one');
  assert.equal(said(await client().logIn('boss', goodPassword)), '200 ok');
  clock.advance(2_000);
  assert.equal(said(await change(goodPassword)), '204 ok');
});

test('whoever has copied a session can give nobody a new password, himself or another, without the own current one [S8]', async (t) => {
  const { client, claimCode, clock } = await accessFixture(t);
  const page = client();
  await page.claim(claimCode());
  await page.call('POST', 'users', { name: 'ada', password: goodPassword, role: 'viewer', ...owner });
  const next = 'another long one';
  const set = (name: string, currentPassword?: string) =>
    page.call('PUT', `users/${name}`, {
      password: next,
      ...(currentPassword === undefined ? {} : { currentPassword }),
    });
  for (const name of ['boss', 'ada', 'nobody']) {
    assert.equal(said(await set(name)), '403 status.password-needed');
    assert.equal(said(await set(name, 'a guess')), '403 status.password-wrong');
  }
  // Guesses count together, wherever they are made.
  const own = { current: 'a guess', password: next };
  assert.equal(said(await page.call('PUT', 'users/me/password', own)), '403 status.password-wrong');
  assert.equal(said(await set('ada', goodPassword)), '429 status.locked-out', 'also with the right one');
  assert.equal(said(await client().logIn('ada', goodPassword)), '200 ok', 'nothing has changed');
  assert.equal(said(await client().logIn('boss', goodPassword)), '200 ok', 'its owner still logs in');
  clock.advance(2_000);
  assert.equal(said(await set('ada', goodPassword)), '200 ok');
  assert.equal(said(await client().logIn('ada', next)), '200 ok');
  assert.equal(said(await set('boss', goodPassword)), '200 ok');
  assert.equal(said(await page.call('GET', 'users')), '200 ok', 'his own session stays');
  assert.equal(said(await client().logIn('boss', next)), '200 ok');
  const entries = (await page.call('GET', 'audit')).json.entries as readonly AuditEntry[];
  const kept = entries.filter(({ act }) => act === 'PUT /api/v1/users/boss').map(({ detail }) => detail);
  assert.deepEqual(kept, [
    'changed password of boss',
    'status.password-wrong: the current password is not this one',
    'status.password-needed: who may do what is changed only with the current password of who asks for it',
  ]);
  assert.ok(!JSON.stringify(entries).includes(goodPassword) && !JSON.stringify(entries).includes('a guess'));
});

test('whoever has copied a session can give nobody rights, and no owner a second factor, without the password [S8]', async (t) => {
  const { client, claimCode, clock } = await accessFixture(t);
  const page = client();
  await page.claim(claimCode());
  await page.call('POST', 'users', { name: 'ada', password: goodPassword, role: 'viewer', ...owner });
  const offer = await page.call('POST', 'users/me/totp');
  const secret = fromBase32(String(offer.json.secret));
  const code = () => totpAt(secret, totpStep(clock.now().wallMs));
  const grants = [
    ['POST', 'users', { name: 'eve', password: goodPassword, role: 'admin' }],
    ['PUT', 'users/ada', { role: 'admin' }],
    ['POST', 'tokens', { name: 'eve', role: 'admin' }],
  ] as const;
  for (const [method, path, body] of grants) {
    assert.equal(said(await page.call(method, path, body)), '403 status.password-needed');
    const guess = { ...body, currentPassword: 'a guess' };
    assert.equal(said(await page.call(method, path, guess)), '403 status.password-wrong');
  }
  const enrol = (current: string) => page.call('PUT', 'users/me/totp', { code: code(), current });
  assert.equal(said(await enrol('a guess')), '403 status.password-wrong');
  assert.equal(said(await enrol(goodPassword)), '429 status.locked-out', 'guesses count together');
  clock.advance(2_000);
  const users = (await page.call('GET', 'users')).json.users as readonly {
    readonly name: string;
    readonly role: string;
    readonly totp: boolean;
  }[];
  assert.deepEqual(
    users.map(({ name, role, totp }) => `${name} ${role} ${totp}`),
    ['boss admin false', 'ada viewer false'],
  );
  assert.deepEqual((await page.call('GET', 'tokens')).json.tokens, []);
  assert.equal(said(await enrol(goodPassword)), '204 ok');
  for (const [method, path, body] of grants)
    assert.match(said(await page.call(method, path, { ...body, ...owner })), /^20[01] ok$/);
});

test('a token, which has no password, may still give a user a new one [S8]', async (t) => {
  const { client, claimCode } = await accessFixture(t);
  const admin = client();
  await admin.claim(claimCode());
  const { json } = await admin.call('POST', 'tokens', { name: 'keeper', role: 'admin', ...owner });
  const program = client();
  program.headers.Authorization = `Bearer ${String(json.token)}`;
  assert.equal(said(await program.call('PUT', 'users/boss', { password: 'another long one' })), '200 ok');
  assert.equal(said(await client().logIn('boss', 'another long one')), '200 ok');
});
