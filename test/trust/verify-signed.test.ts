import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test from 'node:test';
import { signContent } from '../../src/trust/sign-content.ts';
import { type Signers, signersOf } from '../../src/trust/signers.ts';
import { verifySigned } from '../../src/trust/verify-signed.ts';
import { testKey } from './test-keys.ts';

const content = Buffer.from('content');
const [a, b, c] = [await testKey('a'), await testKey('b'), await testKey('c')];
const sign = (key = a, comment = 'a comment') => signContent(content, key, comment);

async function codeOf(text: string, signers: Signers = signersOf([a.public]), nowMs = 0): Promise<string> {
  const verdict = await verifySigned(content, text, signers, nowMs);
  return verdict.ok ? 'ok' : verdict.code;
}

test('every flipped bit of a signature is refused, but in the comment that nobody vouches for [P1]', async () => {
  const bytes = Buffer.from(await sign());
  const secondLine = bytes.indexOf('\n') + 1;
  const codes = new Map<string, number>();
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const changed = Buffer.from(bytes);
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    const verdict = await verifySigned(content, changed.toString('latin1'), signersOf([a.public]), 0);
    const isUntrusted = bit >> 3 >= 'untrusted comment: '.length && bit >> 3 < secondLine - 1;
    if (isUntrusted && verdict.ok) continue;
    assert.equal(verdict.ok, false, `bit ${bit}`);
    if (!verdict.ok) codes.set(verdict.code, (codes.get(verdict.code) ?? 0) + 1);
  }
  const seen = [
    'trust.bad-comment',
    'trust.bad-signature',
    'trust.signature-algorithm',
    'trust.signature-malformed',
    'trust.unknown-key',
  ];
  assert.deepEqual([...codes.keys()].sort(), seen);
});

test('a signature that is not whole is refused: too few lines, too many, carriage returns, white space [P1]', async () => {
  const text = await sign();
  const lines = text.trimEnd().split('\n');
  const bad = [
    '',
    '\n',
    lines.slice(0, 3).join('\n'),
    `${text}x\n`,
    `${text}\n`,
    text.replaceAll('\n', '\r\n'),
    ` ${text}`,
  ];
  for (const each of bad) assert.equal(await codeOf(each), 'trust.signature-malformed', JSON.stringify(each));
  assert.equal(await codeOf(text.repeat(17)), 'trust.signature-malformed');
  assert.equal(await codeOf(text.trimEnd()), 'ok');
});

test('a threshold counts different keys, not signatures and not ids [P2]', async () => {
  const twin = await testKey('twin', 'a');
  const two: Signers = { ...signersOf([a.public, b.public, c.public]), threshold: 2 };
  assert.equal(await codeOf((await sign(a)) + (await sign(a, 'again'))), 'ok');
  assert.equal(await codeOf((await sign(a)) + (await sign(a, 'again')), two), 'trust.too-few-signatures');
  assert.equal(await codeOf((await sign(a)) + (await sign(b)), two), 'ok');
  // The same bytes under two ids are one key.
  const renamed = { ...a, public: { ...a.public, id: '0123456789ABCDEF' } };
  const aliased: Signers = { ...signersOf([a.public, renamed.public]), threshold: 2 };
  assert.equal(await codeOf((await sign(a)) + (await sign(renamed)), aliased), 'trust.too-few-signatures');
  // Two keys under one id are two.
  const twins: Signers = signersOf([a.public, twin.public]);
  assert.equal(await codeOf((await sign(a)) + (await sign(twin)), twins), 'ok');
});

test('strangers are passed over, a wrong signature by a trusted key refuses all [P2]', async () => {
  const one: Signers = { ...signersOf([a.public, b.public]), threshold: 1 };
  assert.equal(await codeOf((await sign(c)) + (await sign(a)), one), 'ok');
  assert.equal(await codeOf(await sign(c), one), 'trust.unknown-key');
  const forged = await signContent(Buffer.from('other content'), b, 'x');
  assert.equal(await codeOf((await sign(a)) + forged, one), 'trust.bad-signature');
});

test('revoked keys, keys out of their time, revoked content and an expired document are each refused by name [P2]', async () => {
  const day = 86_400_000;
  const signers: Signers = {
    ...signersOf([]),
    threshold: 1,
    keys: [{ key: a.public, validFromMs: 10 * day, validUntilMs: 20 * day }],
    expiresMs: 30 * day,
  };
  const text = await sign();
  assert.equal(await codeOf(text, signers, 10 * day), 'ok');
  assert.equal(await codeOf(text, signers, 10 * day - 1), 'trust.key-not-valid');
  assert.equal(await codeOf(text, signers, 20 * day), 'trust.key-not-valid');
  assert.equal(await codeOf(text, signers, 30 * day), 'trust.document-expired');
  assert.equal(await codeOf(text, signers, Number.NaN), 'trust.document-expired');
  assert.equal(await codeOf(text, { ...signers, revokedKeys: [a.public] }, 15 * day), 'trust.key-revoked');
  const revokedContent = new Set([createHash('sha256').update(content).digest('hex')]);
  assert.equal(await codeOf(text, { ...signers, revokedContent }, 15 * day), 'trust.content-revoked');
});
