// Against the real minisign, both ways: its keys and signatures here, ours there.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { missingTools } from '../../image/missing-tools.ts';
import { parsePublicKey, publicKeyFile, publicKeyLine } from '../../src/trust/public-key.ts';
import { parseSecretKey, secretKeyFile } from '../../src/trust/secret-key.ts';
import { signContent } from '../../src/trust/sign-content.ts';
import { parseSignatures } from '../../src/trust/signature-text.ts';
import { signersOf } from '../../src/trust/signers.ts';
import { verifySigned } from '../../src/trust/verify-signed.ts';
import { tempDir } from '../support/temp-dir.ts';
import { testKey } from './test-keys.ts';

const noMinisign = missingTools(['minisign']).length > 0 && 'minisign is not installed';
const content = Buffer.from('what is signed\n');
/** Small, so that the test does not take a gigabyte; the file says so itself. */
const limits = { opsLimit: 524_288, memLimitBytes: 16_777_216 };

test('what minisign signed is verified here, prehashed and in its old form [P1]', {
  skip: noMinisign,
}, async (t) => {
  const dir = await tempDir(t);
  const run = (...args: string[]) => execFileSync('minisign', args, { cwd: dir, stdio: 'pipe' }).toString();
  run('-G', '-W', '-p', 'k.pub', '-s', 'k.key');
  writeFileSync(path.join(dir, 'file'), content);
  const parsed = parsePublicKey(readFileSync(path.join(dir, 'k.pub'), 'utf8'));
  assert.ok(parsed.ok);
  for (const [algorithm, flags] of [
    ['ED', '-Sm'],
    ['Ed', '-Slm'],
  ] as const) {
    run(flags, 'file', '-s', 'k.key', '-t', 'a trusted comment');
    const text = readFileSync(path.join(dir, 'file.minisig'), 'utf8');
    const signatures = parseSignatures(text);
    assert.equal(signatures.ok && signatures.signatures[0]?.algorithm, algorithm);
    const verdict = await verifySigned(content, text, signersOf([parsed.key]), 0);
    assert.ok(verdict.ok, JSON.stringify(verdict));
    assert.equal(verdict.trustedComment, 'a trusted comment');
    const other = await verifySigned(Buffer.from('something else'), text, signersOf([parsed.key]), 0);
    assert.equal(!other.ok && other.code, 'trust.bad-signature');
  }
});

test("minisign's own key files sign here, with a password and without [P1]", {
  skip: noMinisign,
}, async (t) => {
  const dir = await tempDir(t);
  for (const [name, flags, input] of [
    ['bare', '-W', ''],
    ['locked', '', 'hunter2\nhunter2\n'],
  ] as const) {
    // With a gigabyte at hand minisign takes it, and half a minute; with less it makes do.
    const command = `ulimit -v 65536; exec minisign -G ${flags} -p ${name}.pub -s ${name}.key`;
    execFileSync('sh', ['-c', command], { cwd: dir, input, stdio: 'pipe' });
    const text = readFileSync(path.join(dir, `${name}.key`), 'utf8');
    const opened = await parseSecretKey(text, input === '' ? null : 'hunter2');
    assert.ok(opened.ok, JSON.stringify(opened));
    const publicText = readFileSync(path.join(dir, `${name}.pub`), 'utf8');
    // Of a key id that begins with zeros minisign's comment leaves them out.
    const padded = publicText.replace(/(?<=key )[0-9A-F]+(?=\n)/, (id) => id.padStart(16, '0'));
    assert.equal(publicKeyFile(opened.key.public), padded);
    writeFileSync(path.join(dir, 'file'), content);
    writeFileSync(path.join(dir, 'file.minisig'), await signContent(content, opened.key, 'ours'));
    const shown = execFileSync('minisign', ['-Vm', 'file', '-p', `${name}.pub`], { cwd: dir }).toString();
    assert.match(shown, /Signature and comment signature verified\nTrusted comment: ours/);
    if (input === '') continue;
    const refused = await parseSecretKey(text, 'hunter3');
    assert.equal(!refused.ok && refused.code, 'trust.key-password');
  }
});

test('minisign signs with key files made here and verifies with our public keys [P1]', {
  skip: noMinisign,
}, async (t) => {
  const dir = await tempDir(t);
  const key = await testKey('made here');
  writeFileSync(path.join(dir, 'file'), content);
  for (const lock of [null, { password: 'hunter2', salt: Buffer.alloc(32, 7), limits }]) {
    writeFileSync(path.join(dir, 'k.key'), await secretKeyFile(key, lock));
    const input = lock === null ? '' : `${lock.password}\n`;
    execFileSync('minisign', ['-Sm', 'file', '-s', 'k.key'], { cwd: dir, input, stdio: 'pipe' });
    const text = readFileSync(path.join(dir, 'file.minisig'), 'utf8');
    const verdict = await verifySigned(content, text, signersOf([key.public]), 0);
    assert.ok(verdict.ok, JSON.stringify(verdict));
    execFileSync('minisign', ['-Vm', 'file', '-P', publicKeyLine(key.public)], { cwd: dir, stdio: 'pipe' });
  }
});

test('minisign takes no signature of ours once a byte has changed, and the first of several it does [P1]', {
  skip: noMinisign,
}, async (t) => {
  const dir = await tempDir(t);
  const [a, b] = [await testKey('a'), await testKey('b')];
  const text = (await signContent(content, a, 'first')) + (await signContent(content, b, 'second'));
  writeFileSync(path.join(dir, 'file'), content);
  writeFileSync(path.join(dir, 'file.minisig'), text);
  const verify = () =>
    spawnSync('minisign', ['-Vm', 'file', '-P', publicKeyLine(a.public)], { cwd: dir }).status;
  assert.equal(verify(), 0);
  writeFileSync(path.join(dir, 'file'), 'What is signed\n');
  assert.equal(verify(), 1);
});
