import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { stat, writeFile } from 'node:fs/promises';
import { type RequestOptions, request } from 'node:https';
import { connect } from 'node:net';
import { hostname } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import test from 'node:test';
import { connect as connectTls } from 'node:tls';
import { ensurePageCertificate } from '../../src/operate/identity/page-certificate.ts';
import { tempDir } from '../support/temp-dir.ts';
import { accessFixture } from './access-fixture.ts';
import { goodPassword } from './api-client.ts';
import { ask } from './status-fixture.ts';

function askTls(port: number, url: string, options: RequestOptions & { readonly body?: string }) {
  const { promise, resolve, reject } = Promise.withResolvers<{
    readonly status: number;
    readonly body: string;
    readonly cookie: string;
  }>();
  const { body, ...rest } = options;
  const sent = request({ host: 'localhost', port, path: url, agent: false, ...rest }, (response) => {
    const cookie = String(response.headers['set-cookie'] ?? '');
    text(response).then((got) => resolve({ status: response.statusCode ?? 0, body: got, cookie }), reject);
  });
  sent.on('error', reject);
  sent.end(body);
  return promise;
}

test("the appliance's certificate is made once, kept, and right to openssl and to Node [I8]", async (t) => {
  const dir = await tempDir(t);
  const first = await ensurePageCertificate(dir);
  assert.equal((await stat(path.join(dir, 'page-tls.pem'))).mode & 0o777, 0o600);
  assert.deepEqual(await ensurePageCertificate(dir), first);
  const certificate = new X509Certificate(first.cert);
  for (const name of [hostname(), `${hostname()}.local`, 'localhost'])
    assert.equal(certificate.checkHost(name), name);
  assert.equal(certificate.checkIP('127.0.0.1'), '127.0.0.1');
  assert.equal(certificate.ca, false);
  const file = path.join(dir, 'cert.pem');
  await writeFile(file, first.cert);
  const openssl = (...args: string[]) => execFileSync('openssl', args, { encoding: 'utf8' });
  assert.match(openssl('verify', '-x509_strict', '-CAfile', file, '-partial_chain', file), /: OK$/m);
  const shown = openssl('x509', '-in', file, '-noout', '-text');
  assert.match(shown, /Not Before: Jan {2}1 00:00:00 2025 GMT\s+Not After : Dec 31 23:59:59 9999 GMT/);
  assert.match(shown, /Key Usage: critical\s+Digital Signature\s/);
  assert.match(shown, /Extended Key Usage:\s+TLS Web Server Authentication\s/);
});

test('a certificate that does not fit its key is refused with what to do, and without the key [I8]', async (t) => {
  const [dir, other] = [await tempDir(t), await tempDir(t)];
  const [{ key }, { cert }] = [await ensurePageCertificate(dir), await ensurePageCertificate(other)];
  await writeFile(path.join(dir, 'page-tls.pem'), `${key}${cert}`);
  await assert.rejects(ensurePageCertificate(dir), (error: Error) => {
    assert.match(error.message, /do not fit; remove it/);
    assert.doesNotMatch(error.message, /PRIVATE/);
    return true;
  });
});

test('over TLS one logs in with a cookie that never leaves it; plain HTTP is sent there [I8, S8]', async (t) => {
  const tls = await ensurePageCertificate(await tempDir(t));
  const { claimCode, server } = await accessFixture(t, { tls });
  assert.match(server.url, /^https:/);
  const trusted = { ca: tls.cert };
  const body = JSON.stringify({ code: claimCode(), name: 'boss', password: goodPassword });
  const claimed = await askTls(server.port, '/api/v1/claim', {
    ...trusted,
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'Content-Length': body.length },
    body,
  });
  assert.equal(claimed.status, 201);
  assert.match(claimed.cookie, /^__Host-autoweave=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Secure$/);
  const [cookie = ''] = claimed.cookie.split(';');
  const seen = await askTls(server.port, '/api/v1/devices', { ...trusted, headers: { Cookie: cookie } });
  assert.equal(seen.status, 200);

  const redirected = await ask(server.port, '/api/v1/devices?x=1', {
    headers: { Cookie: cookie, Host: `edge.local:${server.port}` },
  });
  assert.equal(redirected.status, 308);
  assert.equal(redirected.headers.location, `https://edge.local:${server.port}/api/v1/devices?x=1`);
  assert.equal(redirected.body, '');
  const posted = await ask(server.port, '/api/v1/claim', { method: 'POST', body });
  assert.equal(posted.status, 308);
});

test('who does not trust the certificate gets no answer, nor who speaks an old TLS or nothing at all [I8]', async (t) => {
  const tls = await ensurePageCertificate(await tempDir(t));
  const { server } = await accessFixture(t, { tls, limits: { headersTimeoutMs: 300 } });
  await assert.rejects(askTls(server.port, '/health', {}), /self-signed/);
  const old = connectTls({
    ...{ port: server.port, host: '127.0.0.1', maxVersion: 'TLSv1.1', minVersion: 'TLSv1' },
    ...{ ciphers: 'DEFAULT@SECLEVEL=0', rejectUnauthorized: false },
  });
  await assert.rejects(
    new Promise((resolve, reject) => old.on('secureConnect', resolve).on('error', reject)),
  );
  const silent = connect(server.port, '127.0.0.1');
  const half = connect(server.port, '127.0.0.1', () => half.write(Buffer.of(22, 3, 1)));
  await Promise.all([silent, half].map((socket) => text(socket).catch(() => 'cut')));
  const { status } = await askTls(server.port, '/health', { ca: tls.cert });
  assert.equal(status, 200);
});

test('stop() ends connections over TLS, also those that wait for nothing [I8]', async (t) => {
  const tls = await ensurePageCertificate(await tempDir(t));
  const { server } = await accessFixture(t, { tls, status: { public: 'all' } });
  const socket = connectTls({ port: server.port, host: 'localhost', ca: tls.cert });
  await new Promise((resolve) => socket.once('secureConnect', resolve));
  socket.write('GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await new Promise((resolve) => socket.once('data', resolve));
  const ended = new Promise((resolve) => socket.once('close', resolve));
  const began = performance.now();
  await server.stop();
  await ended;
  assert.ok(performance.now() - began < 4_000);
});
