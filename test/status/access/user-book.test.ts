import assert from 'node:assert/strict';
import test from 'node:test';
import { type Account, openUserBook } from '../../../src/status/access/user-book.ts';

const account = (name: string, role: Account['role']): Account => ({
  ...{ name, role, password: '$argon2id$x', totp: null, since: '2026-01-01T00:00:00.000Z' },
});

function kept(text: string | null = null) {
  const file = { text, failWith: null as Error | null };
  return {
    file,
    read: async () => file.text,
    async write(next: string) {
      if (file.failWith !== null) throw file.failWith;
      file.text = next;
    },
  };
}

test('a file of users that is damaged lets nobody in, and does not let the box be claimed [S8]', async () => {
  for (const text of ['', '{', '[]', '{"version":1}', '{"version":2,"users":[],"tokens":[]}']) {
    const book = await openUserBook(kept(text));
    assert.equal(book.state(), 'unreadable', text);
    const verdict = await book.claim(account('eve', 'admin'));
    assert.ok(!verdict.ok && verdict.code === 'status.users-unreadable');
  }
});

test('of two who claim at the same moment one becomes administrator [S8, I8]', async () => {
  const book = await openUserBook(kept());
  const verdicts = await Promise.all(['ada', 'eve'].map((name) => book.claim(account(name, 'admin'))));
  assert.deepEqual(
    verdicts.map(({ ok }) => ok),
    [true, false],
  );
  assert.deepEqual(
    book.users().map(({ name }) => name),
    ['ada'],
  );
});

test('the last administrator stays one [S8]', async () => {
  const book = await openUserBook(kept());
  await book.claim(account('ada', 'admin'));
  await book.add(account('bob', 'viewer'));
  for (const verdict of [await book.remove('ada'), await book.change('ada', { role: 'operator' })])
    assert.ok(!verdict.ok && verdict.code === 'status.last-admin');
  assert.ok((await book.change('bob', { role: 'admin' })).ok);
  assert.ok((await book.remove('ada')).ok);
});

test('the first user is an administrator, or there is none [S8]', async () => {
  const book = await openUserBook(kept());
  const verdict = await book.add(account('bob', 'viewer'));
  assert.ok(!verdict.ok && verdict.code === 'status.first-not-admin');
  assert.equal(book.state(), 'unclaimed');
  assert.ok((await book.add(account('bob', 'admin'))).ok);
});

test('what could not be stored is not in force [S8]', async () => {
  const store = kept();
  const book = await openUserBook(store);
  await book.claim(account('ada', 'admin'));
  store.file.failWith = new Error('ENOSPC');
  const verdict = await book.add(account('bob', 'admin'));
  assert.ok(!verdict.ok && verdict.code === 'status.users-unwritable');
  assert.equal(book.user('bob'), null);
  store.file.failWith = null;
  assert.deepEqual(
    (await openUserBook(store)).users().map(({ name }) => name),
    ['ada'],
  );
});

test('a token is kept as its hash alone, and is gone once it is removed [S8]', async () => {
  const store = kept();
  const book = await openUserBook(store);
  await book.claim(account('ada', 'admin'));
  const made = await book.addToken({ name: 'scraper', role: 'viewer', since: '2026-01-01T00:00:00.000Z' });
  const secret = made.secret ?? '';
  assert.match(secret, /^awt_[\w-]{43}$/);
  assert.ok(!store.file.text?.includes(secret.slice(4)));
  assert.equal(book.tokenOf(secret)?.name, 'scraper');
  assert.equal(book.tokenOf(`${secret}x`), null);
  await book.removeToken('scraper');
  assert.equal(book.tokenOf(secret), null);
});
