import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { certificateRequest } from '../../src/operate/identity/certificate-request.ts';
import { ensureIdentity } from '../../src/operate/identity/ensure-identity.ts';
import { tempDir } from '../support/temp-dir.ts';

const names = { tenant: 'acme', site: 'north', name: 'till-3' };

function openssl(t: TestContext, args: readonly string[]) {
  const found = spawnSync('openssl', args, { encoding: 'utf8' });
  if (found.error === undefined) return found;
  t.skip('openssl is not installed');
  return null;
}

test('openssl verifies the certificate request and reads the names of the appliance in it [I5]', async (t) => {
  const { requestFile } = await ensureIdentity(await tempDir(t), names);
  const found = openssl(t, [
    'req',
    '-in',
    requestFile,
    '-verify',
    '-noout',
    '-text',
    '-subject',
    '-nameopt',
    'RFC2253',
  ]);
  if (found === null) return;
  assert.equal(found.status, 0, found.stderr);
  assert.match(found.stderr + found.stdout, /verify OK/);
  assert.match(found.stdout, /^subject=CN=till-3,OU=north,O=acme$/m);
  assert.match(found.stdout, /Public Key Algorithm: ED25519/);
  assert.match(found.stdout, /URI:urn:autoweave:acme:north:till-3/);
});

test('openssl refuses the request when one byte of its names was changed [I5]', async (t) => {
  const dir = await tempDir(t);
  const { requestFile } = await ensureIdentity(dir, names);
  const der = Buffer.from(readFileSync(requestFile, 'utf8').replaceAll(/-----.*?-----|\n/g, ''), 'base64');
  const at = der.indexOf('till-3');
  der[at] = 'T'.charCodeAt(0);
  const changed = path.join(dir, 'changed.der');
  writeFileSync(changed, der);
  const found = openssl(t, ['req', '-inform', 'DER', '-in', changed, '-verify', '-noout']);
  if (found === null) return;
  assert.doesNotMatch(found.stderr + found.stdout, /verify OK/);
});

test('the longest names are encoded so that openssl reads them back [I5]', async (t) => {
  const long = { tenant: 't'.repeat(64), site: 's'.repeat(64), name: 'n'.repeat(64) };
  const { privateKey } = generateKeyPairSync('ed25519');
  const file = path.join(await tempDir(t), 'long.csr');
  writeFileSync(file, certificateRequest(long, privateKey));
  const found = openssl(t, ['req', '-in', file, '-verify', '-noout', '-text']);
  if (found === null) return;
  assert.match(found.stderr + found.stdout, /verify OK/);
  assert.ok(found.stdout.includes(`URI:urn:autoweave:${long.tenant}:${long.site}:${long.name}`));
});

test("the key is made once, is its owner's alone, and the request follows the names [I5]", async (t) => {
  const dir = await tempDir(t);
  const first = await ensureIdentity(dir, names);
  assert.equal(first.isNew, true);
  assert.equal(statSync(first.keyFile).mode & 0o777, 0o600);
  const [key, request] = [readFileSync(first.keyFile, 'utf8'), readFileSync(first.requestFile, 'utf8')];
  chmodSync(first.keyFile, 0o644);
  const inode = statSync(first.requestFile).ino;
  assert.equal((await ensureIdentity(dir, names)).isNew, false);
  assert.equal(statSync(first.keyFile).mode & 0o777, 0o600, 'a key that others could read is closed again');
  assert.equal(statSync(first.requestFile).ino, inode, 'nothing is written when nothing changed');
  await ensureIdentity(dir, { ...names, site: 'south' });
  assert.equal(readFileSync(first.keyFile, 'utf8'), key);
  assert.notEqual(readFileSync(first.requestFile, 'utf8'), request);
});

test('a damaged or foreign key is refused and never replaced [I5]', async (t) => {
  const dir = await tempDir(t);
  const file = path.join(dir, 'identity.key');
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  for (const text of ['', 'no key', privateKey.export({ type: 'pkcs8', format: 'pem' })]) {
    writeFileSync(file, text);
    await assert.rejects(ensureIdentity(dir, names), { code: 'operate.bad-identity' });
    assert.equal(readFileSync(file, 'utf8'), text);
  }
});
