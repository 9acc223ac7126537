// What a stranger can hold, each bound made small.
import assert from 'node:assert/strict';
import { type IncomingMessage, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import test, { type TestContext } from 'node:test';
import { until } from '../support/until.ts';
import { openSse } from './sse-client.ts';
import { ask, startFixture } from './status-fixture.ts';

/** A connection from one of the addresses of this machine. */
async function connected(t: TestContext, port: number, localAddress = '127.0.0.1'): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', localAddress });
  socket.on('error', () => undefined).resume();
  t.after(() => socket.destroy());
  await new Promise((resolve) => socket.once('connect', resolve));
  return socket;
}

/** The status of a request from that address, or 'dropped'. */
function statusFrom(
  t: TestContext,
  port: number,
  localAddress: string,
  path: string,
): Promise<number | 'dropped'> {
  const { promise, resolve } = Promise.withResolvers<number | 'dropped'>();
  const sent = request({ host: '127.0.0.1', port, path, localAddress, agent: false });
  sent.on('response', (response: IncomingMessage) => {
    response.resume();
    resolve(response.statusCode ?? 0);
  });
  sent.on('error', () => resolve('dropped'));
  sent.end();
  t.after(() => sent.destroy());
  return promise;
}

test('more connections than allowed are closed until others end [Q3]', async (t) => {
  const { server, metrics } = await startFixture(t, { limits: { maxConnections: 3 } });
  const held: Socket[] = [];
  for (const address of ['127.0.0.1', '127.0.0.2', '127.0.0.3'])
    held.push(await connected(t, server.port, address));
  assert.equal(await statusFrom(t, server.port, '127.0.0.4', '/ready'), 'dropped');
  assert.equal(metrics.total('status.requests', { route: 'dropped', code: '0' }), 1);
  held[0]?.destroy();
  await until('a place', async () => (await statusFrom(t, server.port, '127.0.0.1', '/ready')) === 200);
});

test('one address cannot have all connections [Q3]', async (t) => {
  const { server } = await startFixture(t, { limits: { maxConnections: 8, loopbackShare: 1 / 2 } });
  for (let n = 0; n < 4; n++) await connected(t, server.port, '127.0.0.2');
  assert.equal(await statusFrom(t, server.port, '127.0.0.2', '/ready'), 'dropped');
  assert.equal(await statusFrom(t, server.port, '127.0.0.3', '/ready'), 200);
});

test('one address cannot have all streams, and is told so [Q3]', async (t) => {
  const { server, metrics } = await startFixture(t, { limits: { loopbackShare: 1 / 2 } });
  const events = '/api/v1/events';
  for (let n = 0; n < 2; n++) assert.equal(await statusFrom(t, server.port, '127.0.0.2', events), 200);
  assert.equal(await statusFrom(t, server.port, '127.0.0.2', events), 429);
  const own = await openSse(t, server.port);
  await openSse(t, server.port);
  const refused = await ask(server.port, events);
  assert.match(
    refused.body,
    /"status\.too-many-streams".*4 listeners have|"status\.too-many-streams".*has 2 event streams/,
  );
  own.close();
  await until('the place to be free', () => metrics.total('status.sseClients') === 3);
  assert.equal(await statusFrom(t, server.port, '127.0.0.3', events), 200);
});

test('a request whose headers do not end is refused after a while, before the limit of the whole request [Q3]', async (t) => {
  const { server } = await startFixture(t, { limits: { headersTimeoutMs: 100, checkEveryMs: 20 } });
  const began = performance.now();
  const socket = connect(server.port, '127.0.0.1');
  socket.write('GET /ready HTTP/1.1\r\nHost: localhost\r\n');
  const reply = await text(socket);
  assert.match(reply, /^HTTP\/1\.1 408 .*"status\.request-timeout"/s);
  assert.ok(performance.now() - began < 3_000, `${performance.now() - began} ms`);
});

test('a listener that takes nothing is cut after a while, and one that lives is not [Q3]', async (t) => {
  const { server, buffer, metrics } = await startFixture(t, {
    limits: { stalledMs: 1_000, heartbeatMs: 50 },
  });
  const alive = await openSse(t, server.port);
  let heartbeats = 0;
  alive.response.on('data', (chunk: string) => {
    heartbeats += chunk.split(':\n\n').length - 1;
  });
  buffer.append(4_000, { padding: 4_000 });
  await openSse(t, server.port, { query: '?lastEventId=1-0', paused: true });
  await until('the stalled one to be cut', () => metrics.total('status.sseClients') === 1, 20_000);
  await until('many heartbeats', () => heartbeats > 10, 20_000);
  assert.equal(alive.response.closed, false);
});

test('a quiet stream has a heartbeat, which no EventSource takes for an event [S3]', async (t) => {
  const { server } = await startFixture(t, { limits: { heartbeatMs: 20 } });
  const client = await openSse(t, server.port);
  let received = '';
  client.response.on('data', (chunk: string) => {
    received += chunk;
  });
  await until('two heartbeats', () => received.includes(':\n\n:\n\n'), 3_000);
  assert.deepEqual(client.messages, []);
});
