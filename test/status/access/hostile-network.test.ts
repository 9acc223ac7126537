// What somebody in the same network may try at the door, with as many addresses as he likes.
import assert from 'node:assert/strict';
import test from 'node:test';
import { createAccess } from '../../../src/status/access/access.ts';
import { createClaimCode } from '../../../src/status/access/claim-code.ts';
import { createPasswordHasher } from '../../../src/status/access/password-hash.ts';
import { openUserBook } from '../../../src/status/access/user-book.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { goodPassword } from '../api-client.ts';

const SECOND = 1_000;
const neighbour = (index: number) => `192.0.2.${index + 1}`;
const owner = '198.51.100.7';

async function door() {
  const clock = fakeClock();
  const codes: string[] = [];
  const access = createAccess({
    book: await openUserBook({ read: async () => null, write: async () => undefined }),
    hasher: createPasswordHasher(),
    claimCode: createClaimCode((code) => void codes.push(code)),
    onClaimed: () => undefined,
    clock,
  });
  const claim = (code: string, address: string) =>
    access.claim({ code, name: 'boss', password: goodPassword }, address);
  const logIn = (password: string, address: string) => access.logIn({ name: 'boss', password }, address);
  return { access, claim, clock, codes, logIn };
}

const said = (verdict: { readonly ok: boolean; readonly code?: string }) => verdict.code ?? 'ok';

test('who came from an address before logs in there, however many strangers guess at his account at that moment [S8]', async () => {
  const { claim, clock, codes, logIn } = await door();
  await claim(codes[0] ?? '', owner);
  assert.equal(said(await logIn(goodPassword, owner)), 'ok');
  const guesses = new Set<string>();
  for (let address = 0; address < 60; address++)
    guesses.add(said(await logIn('a guess', neighbour(address))));
  assert.ok(guesses.has('status.locked-out'), 'all of them together wait');
  for (let round = 0; round < 20; round++) {
    // At the very moment at which the next attempt may be made it is made by a stranger.
    clock.advance(30 * SECOND);
    await logIn('a guess', neighbour(100 + round));
    assert.equal(said(await logIn(goodPassword, owner)), 'ok', `round ${round}`);
  }
  assert.equal(
    said(await logIn(goodPassword, '203.0.113.9')),
    'status.locked-out',
    'an address that was never seen waits with the strangers',
  );
});

test('a crowd that logs in at the same moment leaves room for who came before [S8]', async () => {
  const { access, claim, codes, logIn } = await door();
  await claim(codes[0] ?? '', owner);
  assert.equal(said(await logIn(goodPassword, owner)), 'ok');
  const crowd = Array.from({ length: 20 }, (_, address) =>
    access.logIn({ name: `name-${address}`, password: 'a guess' }, neighbour(address)),
  );
  assert.equal(said(await logIn(goodPassword, owner)), 'ok');
  const replies = (await Promise.all(crowd)).map(said);
  assert.ok(replies.includes('status.busy'), 'the crowd itself is turned away');
});

test('an address that is known is no way to guess faster [S8]', async () => {
  const { claim, codes, logIn } = await door();
  await claim(codes[0] ?? '', owner);
  assert.equal(said(await logIn(goodPassword, owner)), 'ok');
  const replies: string[] = [];
  for (let tries = 0; tries < 6; tries++) replies.push(said(await logIn('a guess', owner)));
  assert.deepEqual(replies.slice(3), ['status.login-refused', 'status.locked-out', 'status.locked-out']);
});

test('strangers who send wrong codes keep nobody from claiming, nor take the code from under his fingers [I8]', async () => {
  const { claim, clock, codes } = await door();
  const read = codes.at(-1) ?? '';
  for (let address = 0; address < 40; address++)
    for (let tries = 0; tries < 4; tries++)
      assert.equal(said(await claim('AAAA-AAAA', neighbour(address))), 'status.claim-refused');
  assert.equal(codes.length, 1, 'what the screen shows is still right');
  // One address alone is slowed down after four.
  assert.equal(said(await claim('AAAA-AAAA', neighbour(0))), 'status.locked-out');
  clock.advance(SECOND);
  assert.equal(said(await claim(read, owner)), 'ok');
});

test('after 200 wrong codes there is another one [I8]', async () => {
  const { claim, codes } = await door();
  for (let address = 0; address < 200; address++) await claim('AAAA-AAAA', neighbour(address));
  assert.equal(codes.length, 2);
  assert.notEqual(codes[1], codes[0]);
  assert.equal(said(await claim(codes[0] ?? '', owner)), 'status.claim-refused');
  assert.equal(said(await claim(codes[1] ?? '', owner)), 'ok');
});

test('who is turned away because others wait, which looks at nothing, is not locked out for it [S8, I8]', async () => {
  const { access, claim, clock, codes, logIn } = await door();
  /** All places of the queue are taken until it has been waited for. */
  const crowd = (places: number, isStranger: boolean) =>
    Promise.all(Array.from({ length: places }, () => access.hasher.verify('x', null, { isStranger })));
  const busyNineTimes = async (waiting: Promise<unknown>, ask: () => Promise<Parameters<typeof said>[0]>) => {
    for (let tries = 0; tries < 9; tries++) assert.equal(said(await ask()), 'status.busy', `try ${tries}`);
    await waiting;
  };
  const right = codes[0] ?? '';
  await busyNineTimes(crowd(8, false), () => claim(right, owner));
  assert.equal(said(await claim(right, owner)), 'ok');

  await busyNineTimes(crowd(6, true), () => logIn(goodPassword, owner));
  const verdict = await logIn(goodPassword, owner);
  assert.ok(verdict.ok, said(verdict));
  const { session } = verdict;

  await busyNineTimes(crowd(8, false), () => access.confirmOwner(session, goodPassword));
  assert.equal(said(await access.confirmOwner(session, goodPassword)), 'ok');
  // What was looked at and was wrong counts as before.
  const elsewhere = neighbour(0);
  const replies: string[] = [];
  for (let tries = 0; tries < 4; tries++) replies.push(said(await logIn('a guess', elsewhere)));
  await Promise.all([crowd(6, true), logIn(goodPassword, elsewhere)]);
  replies.push(said(await logIn('a guess', elsewhere)));
  assert.deepEqual(new Set(replies), new Set(['status.login-refused', 'status.locked-out']));
  assert.equal(replies.at(-1), 'status.locked-out');
  clock.advance(2 * SECOND);
  assert.equal(said(await logIn(goodPassword, elsewhere)), 'ok');
});
