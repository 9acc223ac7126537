// What a stranger can hold where one port speaks HTTPS and redirects plain HTTP, each bound made small.
import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import test, { type TestContext } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { ensurePageCertificate } from '../../src/operate/identity/page-certificate.ts';
import { createListener } from '../../src/status/listener.ts';
import { defaultLimits, type StatusLimits } from '../../src/status/status-limits.ts';
import { tempDir } from '../support/temp-dir.ts';
import { startFixture } from './status-fixture.ts';

/** What a client still waits for after so long never comes. */
const NEVER_MS = 30_000;

async function tlsFixture(t: TestContext, limits: Partial<StatusLimits>) {
  const tls = await ensurePageCertificate(await tempDir(t));
  const { server } = await startFixture(t, { tls, limits });
  const secure = async () => {
    const socket = connectTls({ port: server.port, host: 'localhost', ca: tls.cert });
    t.after(() => socket.destroy());
    await new Promise((resolve) => socket.once('secureConnect', resolve));
    return socket;
  };
  return { port: server.port, secure };
}

/** All that came until the server ended it; rejects when it does not. */
function untilCut(t: TestContext, socket: Socket): Promise<string> {
  const { promise, reject } = Promise.withResolvers<string>();
  const never = setTimeout(() => reject(new Error(`open after ${NEVER_MS} ms`)), NEVER_MS);
  t.after(() => {
    clearTimeout(never);
    socket.destroy();
  });
  return Promise.race([text(socket), promise]);
}

/** Long enough for a handshake on a busy machine, which they bound too. */
const quick = { headersTimeoutMs: 1_500, checkEveryMs: 20 };

test('a client that says one letter in clear where HTTPS is spoken does not hold its place [Q3, I8]', async (t) => {
  const { port } = await tlsFixture(t, quick);
  const socket = connect(port, '127.0.0.1');
  socket.write('G');
  assert.match(await untilCut(t, socket), /^HTTP\/1\.1 408 /);
});

test('headers that do not end are refused over TLS, also when a byte of them comes now and then [Q3, I8]', async (t) => {
  const { secure } = await tlsFixture(t, quick);
  const socket = await secure();
  socket.write('GET /ready HTTP/1.1\r\nHost: localhost\r\nX-Slow: ');
  const drip = setInterval(() => socket.write('x'), 20);
  t.after(() => clearInterval(drip));
  assert.match(await untilCut(t, socket), /^HTTP\/1\.1 408 .*"status\.request-timeout"/s);
});

test('what is begun in clear and not gone on with is cut by the bound of a stalled socket as well [Q3, I8]', async (t) => {
  const { port } = await tlsFixture(t, { stalledMs: 200, checkEveryMs: 60_000 });
  const socket = connect(port, '127.0.0.1');
  socket.write('G');
  assert.equal(await untilCut(t, socket), '');
});

test('a connection over TLS that waits for its next request ends with the idle ones [I8]', async (t) => {
  const { cert, key } = await ensurePageCertificate(await tempDir(t));
  const listener = createListener({ ...defaultLimits, keepAliveMs: 60_000 }, { cert, key });
  for (const { protocol } of listener.protocols)
    protocol.on('request', (_request: IncomingMessage, response: ServerResponse) => response.end('answered'));
  await new Promise<void>((resolve) => listener.server.listen(0, '127.0.0.1', resolve));
  t.after(() => listener.closeAll());
  const closed = new Promise((resolve) => listener.server.once('close', resolve));
  const { port } = listener.server.address() as AddressInfo;
  const socket = connectTls({ port, host: 'localhost', ca: cert });
  const received = untilCut(t, socket);
  socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await new Promise((resolve) => socket.once('readable', resolve));
  listener.server.close();
  listener.closeIdle();
  assert.match(await received, /answered/);
  await closed;
});
