import assert from 'node:assert/strict';
import test from 'node:test';
import { parsePublicKey, publicKeyFile, publicKeyLine } from '../../src/trust/public-key.ts';
import { needsPassword, parseSecretKey, secretKeyFile } from '../../src/trust/secret-key.ts';
import { testKey } from './test-keys.ts';

const lock = {
  password: 'pass word ',
  salt: Buffer.alloc(32, 9),
  limits: { opsLimit: 32_768, memLimitBytes: 1_048_576 },
};

test('a key file is read again, and says itself whether it needs a password [P1]', async () => {
  const key = await testKey('one');
  for (const each of [null, lock]) {
    const text = await secretKeyFile(key, each);
    assert.equal(needsPassword(text), each !== null);
    const opened = await parseSecretKey(text, each?.password ?? null);
    assert.ok(opened.ok);
    assert.deepEqual(Buffer.from(opened.key.bytes), Buffer.from(key.bytes));
    assert.equal(opened.key.public.id, key.public.id);
  }
  const without = await parseSecretKey(await secretKeyFile(key, lock), null);
  assert.equal(!without.ok && without.code, 'trust.key-password');
  const wrong = await parseSecretKey(await secretKeyFile(key, lock), 'pass word');
  assert.equal(!wrong.ok && wrong.code, 'trust.key-password');
});

test('a key file with one changed character is refused, wherever it is [P1]', async () => {
  const text = await secretKeyFile(await testKey('one'), null);
  const from = text.indexOf('\n') + 1;
  for (let at = from; at < text.length - 1; at++) {
    const other = text[at] === 'A' ? 'B' : 'A';
    const verdict = await parseSecretKey(text.slice(0, at) + other + text.slice(at + 1), null);
    // Salt and limits of a file without password mean nothing.
    const isUnused = at >= from + 8 && at < from + 72;
    if (!isUnused) assert.equal(verdict.ok, false, `character ${at - from}`);
  }
});

test('a key file that asks for more memory than a computer has is refused before it is tried [P1]', async () => {
  const text = await secretKeyFile(await testKey('one'), lock);
  const bytes = Buffer.from(text.split('\n')[1] ?? '', 'base64');
  bytes.writeBigUInt64LE(2n ** 60n, 38);
  bytes.writeBigUInt64LE(2n ** 62n, 46);
  const verdict = await parseSecretKey(`untrusted comment: x\n${bytes.toString('base64')}\n`, lock.password);
  assert.equal(!verdict.ok && verdict.code, 'trust.key-too-costly');
});

test('a public key has one spelling: spaces, missing padding, stray bits and other algorithms are refused [P1]', async () => {
  const { public: key } = await testKey('one');
  const line = publicKeyLine(key);
  for (const good of [line, `${line}\n`, publicKeyFile(key)]) {
    const parsed = parsePublicKey(good);
    assert.ok(parsed.ok && parsed.key.id === key.id, good);
  }
  const bad = [
    '',
    ` ${line}`,
    `${line} `,
    line.slice(0, -1),
    `${line}A`,
    `RX${line.slice(2)}`,
    `${line}\n${line}\n`,
  ];
  for (const text of [...bad, `comment\n${line}\n`, line.toLowerCase()])
    assert.equal(parsePublicKey(text).ok, false, JSON.stringify(text));
});

test('a public key where the secret one belongs is called that [P1]', async () => {
  const { public: publicHalf } = await testKey('one');
  const refused = await parseSecretKey(publicKeyFile(publicHalf), null);
  assert.equal(refused.ok ? 'opened' : refused.code, 'trust.key-malformed');
  assert.match(refused.ok ? '' : refused.reason, /it is the public half/);
});
