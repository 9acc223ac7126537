import assert from 'node:assert/strict';
import test from 'node:test';
import { createPasswordHasher } from '../../../src/status/access/password-hash.ts';

test('a password is kept as Argon2id with its own salt, and known again [S8]', async () => {
  const hasher = createPasswordHasher();
  const [first, second] = [await hasher.hash('correct horse'), await hasher.hash('correct horse')];
  assert.match(first ?? '', /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}$/);
  assert.notEqual(first, second);
  assert.equal(await hasher.verify('correct horse', first), true);
  assert.equal(await hasher.verify('correct hors', first), false);
  assert.equal(await hasher.verify('', first), false);
});

test('a hash that another program made is understood, and one that is none is nobody’s [S8]', async () => {
  const hasher = createPasswordHasher();
  // argon2 (the reference program): echo -n password | argon2 somesalt -id -t 2 -m 16 -p 1
  const known = '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc';
  assert.equal(await hasher.verify('password', known), true);
  assert.equal(await hasher.verify('passwore', known), false);
  for (const damaged of ['', 'x', known.replace('argon2id', 'argon2i'), known.slice(0, -1), `${known}!`])
    assert.equal(await hasher.verify('password', damaged), false, damaged);
  assert.equal(await hasher.verify('password', null), false);
});

test('typed on another keyboard the same letters are the same password [S8]', async () => {
  const hasher = createPasswordHasher();
  assert.equal(await hasher.verify('cafe\u0301 noir', await hasher.hash('caf\u00e9 noir')), true);
});

test('those who try are taken one at a time, and no more than a few wait [S8]', async () => {
  const hasher = createPasswordHasher();
  const all = await Promise.all(Array.from({ length: 12 }, () => hasher.verify('x', null)));
  assert.deepEqual(all.filter((each) => each === null).length, 4);
  assert.equal(await hasher.verify('x', null), false, 'afterwards there is room again');
});
