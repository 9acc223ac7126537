// The quarterly drill: keys change hands, retire and are revoked, and devices follow by documents alone.
import assert from 'node:assert/strict';
import test from 'node:test';
import type { TrustDocument } from '../../src/contracts/trust-document.ts';
import { acceptFirstTrust, acceptNextTrust, type TrustedDocument } from '../../src/trust/accept-trust.ts';
import {
  editTrustFile,
  newTrustFile,
  type TrustEdit,
  withKey,
  withoutKey,
  withRevokedContent,
  withRevokedKey,
} from '../../src/trust/edit-trust.ts';
import { publicKeyLine } from '../../src/trust/public-key.ts';
import { readTrustFile, trustDocumentText, trustFileText } from '../../src/trust/read-trust-file.ts';
import type { SecretKey } from '../../src/trust/secret-key.ts';
import { signContent } from '../../src/trust/sign-content.ts';
import { signTrustFile } from '../../src/trust/sign-trust.ts';
import { signersFor } from '../../src/trust/signers-for.ts';
import { verifySigned } from '../../src/trust/verify-signed.ts';
import { testKey } from './test-keys.ts';

const day = 86_400_000;
const start = Date.UTC(2026, 10, 21);
const quarter = (n: number) => start + n * 91 * day;
const content = Buffer.from('a plugin');

async function signAll(text: string, keys: readonly SecretKey[], nowMs: number): Promise<string> {
  let signed = text;
  for (const key of keys) {
    const read = readTrustFile(signed);
    assert.ok(read.ok, JSON.stringify(read));
    signed = await signTrustFile(read.file, key, nowMs);
  }
  return signed;
}

async function first(
  root: readonly SecretKey[],
  threshold: number,
  ...edits: readonly TrustEdit[]
): Promise<string> {
  const dates = { nowMs: start, expiresMs: quarter(4) };
  const made = newTrustFile(
    root.map((key) => key.public),
    { threshold, ...dates },
  );
  assert.ok(made.ok, JSON.stringify(made));
  return signAll(edited(made.text, edits, 0), root.slice(0, threshold), start);
}

function edited(text: string, edits: readonly TrustEdit[], n: number): string {
  const read = readTrustFile(text);
  assert.ok(read.ok, JSON.stringify(read));
  const all: TrustEdit = (document, nowMs) => edits.reduce((so, edit) => edit(so, nowMs), document);
  const draft = editTrustFile(read.file, all, { nowMs: quarter(n), expiresMs: quarter(n + 4) });
  assert.ok(draft.ok, JSON.stringify(draft));
  return draft.text;
}

async function accepted(text: string, after?: TrustedDocument): Promise<TrustedDocument> {
  const verdict = after === undefined ? await acceptFirstTrust(text) : await acceptNextTrust(after, text);
  assert.ok(verdict.ok, JSON.stringify(verdict));
  return verdict.document;
}

async function publisherCode(document: TrustedDocument, key: SecretKey, nowMs: number): Promise<string> {
  const signers = signersFor(document, 'publisher');
  if (!signers.ok) return signers.code;
  const verdict = await verifySigned(content, await signContent(content, key, 'x'), signers.signers, nowMs);
  return verdict.ok ? 'ok' : verdict.code;
}

test('four quarters: a new publisher, the old one retired, the root handed over, a stolen key revoked [P2]', async () => {
  const [root, nextRoot, old, young] = [
    await testKey('root'),
    await testKey('next root'),
    await testKey('old publisher'),
    await testKey('young publisher'),
  ];
  const one = await first([root], 1, withKey('publisher', old.public, { note: 'of 2026' }));
  const v1 = await accepted(one);
  assert.deepEqual(
    [await publisherCode(v1, old, quarter(0)), await publisherCode(v1, young, quarter(0))],
    ['ok', 'trust.unknown-key'],
  );

  const retired = withKey('publisher', old.public, { validUntilMs: quarter(1) + 30 * day });
  const two = await signAll(
    edited(one, [withKey('publisher', young.public, {}), retired], 1),
    [root],
    quarter(1),
  );
  const v2 = await accepted(two, v1);
  assert.equal(v2.version, 2);
  // Both count for thirty days; then the old one no longer installs, and what it installed before goes on.
  assert.equal(await publisherCode(v2, old, quarter(1) + day), 'ok');
  assert.equal(await publisherCode(v2, young, quarter(1) + day), 'ok');
  assert.equal(await publisherCode(v2, old, quarter(2)), 'trust.key-not-valid');
  assert.equal(await publisherCode(v2, old, quarter(0) + day), 'ok');

  const handOver = [withKey('root', nextRoot.public, {}), withoutKey('root', root.public)];
  const three = edited(two, handOver, 2);
  const byOldOnly = await acceptNextTrust(v2, await signAll(three, [root], quarter(2)));
  assert.equal(!byOldOnly.ok && byOldOnly.code, 'trust.unknown-key');
  const byNewOnly = await acceptNextTrust(v2, await signAll(three, [nextRoot], quarter(2)));
  assert.equal(!byNewOnly.ok && byNewOnly.code, 'trust.unknown-key');
  const v3 = await accepted(await signAll(three, [root, nextRoot], quarter(2)), v2);

  const four = edited(
    await signAll(three, [root, nextRoot], quarter(2)),
    [withRevokedKey(young.public, 'stolen')],
    3,
  );
  const byOldRoot = await acceptNextTrust(v3, await signAll(four, [root], quarter(3)));
  assert.equal(!byOldRoot.ok && byOldRoot.code, 'trust.unknown-key');
  const v4 = await accepted(await signAll(four, [nextRoot], quarter(3)), v3);
  for (const when of [quarter(1) + day, quarter(3)])
    assert.equal(await publisherCode(v4, young, when), 'trust.key-revoked');
  assert.equal(await publisherCode(v4, young, quarter(9)), 'trust.document-expired');
});

test('a device that was away takes the versions one after the other, and none twice or back [P2]', async () => {
  const root = await testKey('root');
  const one = await first([root], 1);
  const two = await signAll(edited(one, [], 1), [root], quarter(1));
  const three = await signAll(edited(two, [], 2), [root], quarter(2));
  const v1 = await accepted(one);
  const skipped = await acceptNextTrust(v1, three);
  assert.equal(!skipped.ok && skipped.code, 'trust.document-version');
  const v3 = await accepted(three, await accepted(two, v1));
  for (const text of [one, two, three]) {
    const back = await acceptNextTrust(v3, text);
    assert.equal(!back.ok && back.code, 'trust.document-version');
  }
});

test('two of three root keys: one alone, or one that signs twice, changes nothing [P2]', async () => {
  const root = [await testKey('r1'), await testKey('r2'), await testKey('r3')] as const;
  const one = await first(root, 2);
  const v1 = await accepted(one);
  const two = edited(one, [], 1);
  const alone = await acceptNextTrust(v1, await signAll(two, [root[2]], quarter(1)));
  assert.equal(!alone.ok && alone.code, 'trust.too-few-signatures');
  const read = readTrustFile(two);
  assert.ok(read.ok);
  const signature = await signContent(Buffer.from(read.file.signedText), root[2], 'x');
  const twice = await acceptNextTrust(v1, trustFileText(read.file.signedText, [signature, signature]));
  assert.equal(!twice.ok && twice.code, 'trust.too-few-signatures');
  await accepted(await signAll(two, [root[2], root[1]], quarter(1)), v1);
});

test('a revocation cannot be taken back, and a revoked key cannot be named again under another id [P2]', async () => {
  const [root, bad] = [await testKey('root'), await testKey('bad')];
  const revoked = [
    withKey('publisher', bad.public, {}),
    withRevokedKey(bad.public, 'lost'),
    withRevokedContent('a'.repeat(64), 'eats disks'),
  ];
  const one = await first([root], 1, ...revoked);
  const v1 = await accepted(one);
  for (const forget of ['keys', 'content'] as const) {
    const edit: TrustEdit = (document) => ({ ...document, revoked: { ...document.revoked, [forget]: [] } });
    const verdict = await acceptNextTrust(v1, await signAll(edited(one, [edit], 1), [root], quarter(1)));
    assert.equal(!verdict.ok && verdict.code, 'trust.revocation-lost');
  }
  const read = readTrustFile(one);
  assert.ok(read.ok);
  const disguised = { ...bad.public, id: '0123456789ABCDEF' };
  const draft = editTrustFile(read.file, withKey('publisher', disguised, {}), {
    nowMs: start,
    expiresMs: quarter(1),
  });
  assert.equal(!draft.ok && draft.code, 'trust.document-invalid');
});

test('an unsigned first document is no document, nor is one with any changed character [P2]', async () => {
  const root = await testKey('root');
  const one = await first([root], 1, withKey('publisher', (await testKey('p')).public, {}));
  const read = readTrustFile(one);
  assert.ok(read.ok);
  const unsigned = await acceptFirstTrust(trustFileText(read.file.signedText, []));
  assert.equal(unsigned.ok, false);
  const { signedText, signatures } = read.file;
  for (let at = 0; at < signedText.length; at++) {
    const changed =
      signedText.slice(0, at) + String.fromCharCode(signedText.charCodeAt(at) ^ 1) + signedText.slice(at + 1);
    const verdict = await acceptFirstTrust(trustFileText(changed, signatures));
    assert.equal(verdict.ok, false, `character ${at}`);
  }
});

test('documents that could lock everybody out, or that read two ways, are refused with the field [P2]', async () => {
  const [root, other] = [await testKey('root'), await testKey('other')];
  const read = readTrustFile(await first([root], 1));
  assert.ok(read.ok);
  const { document } = read.file;
  const key = publicKeyLine(root.public);
  const alias = publicKeyLine({ ...root.public, id: '0123456789ABCDEF' });
  const cases: readonly (readonly [RegExp, TrustDocument])[] = [
    [/\/roles\/root\/threshold: 2 of 1/, { ...document, roles: { root: { threshold: 2, keys: [{ key }] } } }],
    [
      /\/roles\/root\/keys\/1\/key: the key bytes/,
      { ...document, roles: { root: { threshold: 2, keys: [{ key }, { key: alias }] } } },
    ],
    [/\/roles\/root: is missing/, { ...document, roles: { publisher: { threshold: 1, keys: [{ key }] } } }],
    [/\/expires: .* is not after/, { ...document, expires: document.issued }],
    [/\/expires: .* is no instant/, { ...document, expires: '2026-99-99T00:00:00Z' }],
    [
      /a root key has no dates/,
      { ...document, roles: { root: { threshold: 1, keys: [{ key, validUntil: document.expires }] } } },
    ],
    [
      /note .*pattern/,
      { ...document, roles: { ...document.roles, x: { threshold: 1, keys: [{ key, note: 'a\u001b[2J' }] } } },
    ],
  ];
  for (const [reason, wrong] of cases) {
    const verdict = readTrustFile(trustFileText(trustDocumentText(wrong), []));
    assert.match(verdict.ok ? 'accepted' : verdict.reason, reason);
  }
  const twice = read.file.signedText.replace('"version": 1,', '"version": 9,\n  "version": 1,');
  const verdict = readTrustFile(trustFileText(twice, []));
  assert.match(verdict.ok ? 'accepted' : verdict.reason, /every key once/);
  const draft = newTrustFile([root.public, other.public], {
    threshold: 3,
    nowMs: start,
    expiresMs: quarter(1),
  });
  assert.equal(!draft.ok && draft.code, 'trust.document-invalid');
});
