// How long a body may take: an honest slow link gets its bundle through, and nobody holds a connection by sending little.
import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import test, { type TestContext } from 'node:test';
import { until } from '../support/until.ts';
import { accessFixture } from './access-fixture.ts';
import { type ApiClient, goodPassword } from './api-client.ts';
import { willingControl } from './willing-control.ts';

/** What a client still waits for after so long never comes. */
const NEVER_MS = 60_000;

interface Post {
  readonly path: string;
  readonly client?: ApiClient;
  readonly body: string;
  /** In so many parts, of which the last is not sent before the others have been on their way for a while. */
  readonly parts: number;
  readonly everyMs: number;
  /** It stops after so many of them. */
  readonly sent?: number;
}

/** Sends headers at once and the body part by part; resolves with all that came back, rejects when the connection stays open. */
function post(t: TestContext, port: number, options: Post): Promise<string> {
  const { client, path, body, parts, everyMs, sent = parts } = options;
  const socket: Socket = connect(port, '127.0.0.1');
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let received = '';
  socket.setEncoding('utf8').on('data', (part: string) => {
    received += part;
  });
  // What is sent after the answer may be reset.
  socket.on('error', () => undefined).once('close', () => resolve(received));
  const never = setTimeout(() => reject(new Error(`open after ${NEVER_MS} ms`)), NEVER_MS);
  const who = client === undefined ? '' : `Cookie: ${client.cookie}\r\nX-CSRF-Token: ${client.csrf}\r\n`;
  socket.write(
    `POST /api/v1/${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${who}` +
      `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`,
  );
  const size = Math.ceil(body.length / parts);
  let next = 0;
  const drip = setInterval(() => {
    if (next >= sent || !socket.writable) return;
    socket.write(body.slice(next * size, (next + 1) * size));
    next += 1;
  }, everyMs);
  t.after(() => {
    clearTimeout(never);
    clearInterval(drip);
    socket.destroy();
  });
  return promise;
}

const bundle = JSON.stringify({ bundle: 'A'.repeat(4_000_000), signature: 's' });
const problem = /^HTTP\/1\.1 408 .*application\/problem\+json.*"status\.request-timeout"/s;

async function claimed(
  t: TestContext,
  limits: { readonly bodyTimeoutMs: number; readonly largeBodyTimeoutMs?: number },
) {
  const { claimCode, client, server } = await accessFixture(t, {
    control: willingControl,
    limits: { checkEveryMs: 20, headersTimeoutMs: 2_000, ...limits },
  });
  const boss = client();
  await boss.claim(claimCode());
  return { boss, port: server.port };
}

test('a bundle that comes slowly, and comes, gets through [I8, Q3]', async (t) => {
  const { boss, port } = await claimed(t, { bodyTimeoutMs: 2_000 });
  const slow = { path: 'plugins', client: boss, body: bundle, parts: 60, everyMs: 100 };
  assert.match(await post(t, port, slow), /^HTTP\/1\.1 200 /);
});

test('a bundle that does not go on is refused with a reason [Q3]', async (t) => {
  const { boss, port } = await claimed(t, { bodyTimeoutMs: 500 });
  const stuck = { path: 'plugins', client: boss, body: bundle, parts: 60, everyMs: 10, sent: 3 };
  assert.match(await post(t, port, stuck), problem);
});

test('a bundle that never ends is refused with a reason, though it goes on [Q3]', async (t) => {
  const { boss, port } = await claimed(t, { bodyTimeoutMs: 5_000, largeBodyTimeoutMs: 1_000 });
  const endless = { path: 'plugins', client: boss, body: bundle, parts: bundle.length, everyMs: 20 };
  assert.match(await post(t, port, endless), problem);
});

test('who is not logged in has little time for his body, though it goes on [Q3]', async (t) => {
  const { port } = await claimed(t, { bodyTimeoutMs: 1_000 });
  const body = JSON.stringify({ name: 'boss', password: goodPassword });
  const slow = { path: 'session', body, parts: body.length, everyMs: 500 };
  assert.match(await post(t, port, slow), problem);
  const early = await post(t, port, { path: 'plugins', body: bundle, parts: bundle.length, everyMs: 500 });
  assert.match(early, /^HTTP\/1\.1 401 .*"status\.login-needed"/s);
});

test('who leaves in the middle of his body is nothing to report [Q3]', async (t) => {
  const { log, metrics, server } = await accessFixture(t);
  const socket = connect(server.port, '127.0.0.1');
  socket.write('POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\n');
  socket.write('Content-Type: application/json\r\nContent-Length: 50\r\n\r\n{"name":');
  const route = '/api/v1/session';
  socket.end();
  await until('its end', () => metrics.total('status.requests', { route, code: '415' }) === 1);
  assert.deepEqual(
    log.lines.filter(({ message }) => /could not be answered/.test(message)),
    [],
  );
});
