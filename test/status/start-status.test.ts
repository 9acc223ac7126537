import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import test from 'node:test';
import { until } from '../support/until.ts';
import { openSse } from './sse-client.ts';
import { ask, startFixture } from './status-fixture.ts';

/** Sends bytes as they are and returns all that comes back until the connection ends. */
function raw(port: number, bytes: string | Buffer): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(bytes);
  return text(socket);
}

test('a port that is taken is reported down with the remedy, and got once it is free [S3]', async (t) => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const { port } = other.address() as AddressInfo;
  const { server, reports } = await startFixture(t, { status: { port }, retryMs: 20 });
  const [state, why] = reports[0] ?? [];
  assert.equal(state, 'down');
  assert.match(
    why ?? '',
    new RegExp(`cannot listen on 127\\.0\\.0\\.1 port ${port}: .*EADDRINUSE.*set status\\.port`),
  );
  assert.equal(server.port, port);
  await new Promise((resolve) => other.close(resolve));
  await until('the port to be got', () => reports.at(-1)?.[0] === 'ok');
  assert.equal((await ask(port, '/ready')).status, 200);
});

test('an address that this machine does not have is reported, and stop() ends the attempts [S3]', async (t) => {
  const { server, reports } = await startFixture(t, { status: { listen: '192.0.2.1' }, retryMs: 5 });
  assert.match(reports[0]?.[1] ?? '', /EADDRNOTAVAIL.*set status\.listen/);
  await server.stop();
  const count = reports.length;
  await ask((await startFixture(t)).server.port, '/ready');
  assert.equal(reports.length, count);
});

test('the url names the real port and an address that can be opened [S3]', async (t) => {
  const { server } = await startFixture(t, { status: { listen: '0.0.0.0' } });
  assert.equal(server.url, `http://127.0.0.1:${server.port}`);
  assert.equal((await fetch(`${server.url}/ready`)).status, 200);
});

test('stop() ends open streams cleanly, idle and stalled connections too, within a second [S3]', async (t) => {
  const { server, buffer, metrics } = await startFixture(t);
  buffer.append(2_000, { padding: 8_000 });
  const clients = [await openSse(t, server.port), await openSse(t, server.port)];
  const stalled = await openSse(t, server.port, { query: '?lastEventId=1-0', paused: true });
  const idle = connect(server.port, '127.0.0.1');
  await new Promise((resolve) => idle.once('connect', resolve));
  idle.resume();
  const began = performance.now();
  await server.stop();
  assert.ok(performance.now() - began < 1_000, `${performance.now() - began} ms`);
  await Promise.all(clients.map(({ ended }) => ended));
  assert.ok(clients.every(({ response }) => response.complete));
  stalled.close();
  assert.equal(metrics.total('status.sseClients'), 0);
  assert.equal(buffer.listeners.size, 0, 'the buffer has nobody left to tell');
  await assert.rejects(ask(server.port, '/ready'));
});

test('a hundred connections at once are all answered [S3]', async (t) => {
  const { server } = await startFixture(t);
  const replies = await Promise.all(Array.from({ length: 100 }, () => ask(server.port, '/api/v1/state')));
  assert.deepEqual(new Set(replies.map(({ status }) => status)), new Set([200]));
});

test('bytes that are no request get one clear answer and the end of the connection [Q3]', async (t) => {
  const { server, metrics } = await startFixture(t);
  for (const [bytes, status, code] of [
    ['NONSENSE\r\n\r\n', 400, 'status.malformed-request'],
    ['GET / HTTP/9.9\r\n\r\n', 400, 'status.malformed-request'],
    ['\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400, 'status.malformed-request'],
    ['GET /\u0000 HTTP/1.1\r\nHost: localhost\r\n\r\n', 400, 'status.malformed-request'],
    ['GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n', 400, 'status.malformed-request'],
    [
      'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
      'status.malformed-request',
    ],
    [`GET /${'a'.repeat(9_000)} HTTP/1.1\r\n\r\n`, 431, 'status.header-too-large'],
    [`GET / HTTP/1.1\r\nX: ${'a'.repeat(500_000)}\r\n\r\n`, 431, 'status.header-too-large'],
  ] as const) {
    const reply = await raw(server.port, bytes);
    assert.match(reply, new RegExp(`^HTTP/1\\.1 ${status} `), bytes.slice(0, 40));
    assert.match(reply, new RegExp(`"code":"${code}"`));
    assert.match(reply, /Connection: close\r\n/);
    assert.match(reply, /X-Content-Type-Options: nosniff\r\n/);
    assert.equal(reply.split('HTTP/1.1 4').length, 2, 'one answer');
  }
  assert.equal(metrics.total('status.requests', { route: 'malformed', code: '431' }), 2);
  assert.equal((await ask(server.port, '/ready')).status, 200);
});

test('a request without a Host is refused like one with a foreign name [S3]', async (t) => {
  const { server } = await startFixture(t);
  assert.match(await raw(server.port, 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n'), /^HTTP\/1\.1 421 /);
  assert.match(
    await raw(server.port, 'GET / HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n'),
    /^HTTP\/1\.1 421 /,
  );
});

test('a body is not read: the connection ends after the refusal, so nothing in it becomes a request [Q3]', async (t) => {
  const { server, metrics } = await startFixture(t);
  const smuggled = 'GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n';
  const head = 'POST /health HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n';
  const reply = await raw(server.port, `${head}Content-Length: ${smuggled.length}\r\n\r\n${smuggled}`);
  assert.match(reply, /^HTTP\/1\.1 405 /);
  assert.match(reply, /Connection: close/i);
  assert.equal(metrics.total('status.requests', { route: '/metrics', code: '200' }), 0);
});

test('garbage after a stream was opened ends that connection and disturbs no other [Q3]', async (t) => {
  const { server, buffer, metrics } = await startFixture(t);
  const good = await openSse(t, server.port);
  const bad = connect(server.port, '127.0.0.1');
  const received = text(bad).catch(() => 'cut');
  bad.write('GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await until('two listeners', () => metrics.total('status.sseClients') === 2);
  bad.write('garbage\r\n\r\n');
  await received;
  await until('one listener', () => metrics.total('status.sseClients') === 1);
  buffer.append(1);
  await good.received(1);
});
