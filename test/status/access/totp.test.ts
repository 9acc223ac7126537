import assert from 'node:assert/strict';
import test from 'node:test';
import { matchTotp, toBase32, totpAt, totpStep, totpUri } from '../../../src/status/access/totp.ts';

const secret = Buffer.from('12345678901234567890');

test('the codes are those of RFC 6238, appendix B [S8]', () => {
  for (const [seconds, code] of [
    [59, '94287082'],
    [1_111_111_109, '07081804'],
    [1_111_111_111, '14050471'],
    [1_234_567_890, '89005924'],
    [2_000_000_000, '69279037'],
    [20_000_000_000, '65353130'],
  ] as const)
    assert.equal(totpAt(secret, totpStep(seconds * 1_000), 8), code);
});

test('a code counts one step early or late, and once [S8]', () => {
  const wallMs = 1_234_567_890_000;
  const step = totpStep(wallMs);
  const at = (offset: number, usedStep = 0) =>
    matchTotp(secret, totpAt(secret, step + offset), { wallMs, usedStep });
  assert.deepEqual(
    [-2, -1, 0, 1, 2].map((offset) => at(offset)),
    [null, step - 1, step, step + 1, null],
  );
  assert.equal(at(0, step), null);
  assert.equal(at(-1, step), null, 'nor does an earlier one');
  assert.equal(at(1, step), step + 1);
  for (const wrong of ['', '12345', '1234567', 'abcdef', '０１２３４５'])
    assert.equal(matchTotp(secret, wrong, { wallMs, usedStep: 0 }), null);
});

test('the secret is told as RFC 4648 writes it, and as an app scans it [S8]', () => {
  assert.equal(toBase32(secret), 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ');
  for (const [text, base32] of [
    ['f', 'MY'],
    ['fo', 'MZXQ'],
    ['foo', 'MZXW6'],
    ['foob', 'MZXW6YQ'],
    ['fooba', 'MZXW6YTB'],
    ['foobar', 'MZXW6YTBOI'],
  ] as const)
    assert.equal(toBase32(Buffer.from(text)), base32);
  const uri = new URL(totpUri(secret, { user: 'ada', appliance: 'till 3' }));
  assert.equal(uri.protocol, 'otpauth:');
  assert.equal(uri.searchParams.get('secret'), toBase32(secret));
});
