import assert from 'node:assert/strict';
import test from 'node:test';
import type { AuditEntry } from '../../src/contracts/api-access.ts';
import { createClientAddresses } from '../../src/status/client-address.ts';
import { accessFixture } from './access-fixture.ts';
import { goodPassword } from './api-client.ts';
import { openSse } from './sse-client.ts';
import { ask, startFixture } from './status-fixture.ts';

const trusted = ['127.0.0.1', '10.0.0.0/8', 'fd00::/8'];

function clientOf(from: string, forwardedFor?: string, forwarded?: string): string {
  const headers = {
    ...(forwardedFor === undefined ? {} : { 'x-forwarded-for': forwardedFor }),
    ...(forwarded === undefined ? {} : { forwarded }),
  };
  return createClientAddresses(trusted).of({ headers, socket: { remoteAddress: from } });
}

test('a header is believed from a trusted proxy alone, also one that comes as IPv4 in IPv6 or from a network [S8]', () => {
  assert.equal(clientOf('127.0.0.1', '203.0.113.5'), '203.0.113.5');
  assert.equal(clientOf('::ffff:10.9.8.7', '203.0.113.5'), '203.0.113.5');
  assert.equal(clientOf('fd12::7', undefined, 'for=203.0.113.5'), '203.0.113.5');
  assert.equal(clientOf('203.0.113.9', '198.51.100.1'), '203.0.113.9');
  assert.equal(clientOf('2001:db8::1', '198.51.100.1', 'for=198.51.100.1'), '2001:db8::1');
  const none = createClientAddresses();
  const request = { headers: { 'x-forwarded-for': '203.0.113.5' }, socket: { remoteAddress: '127.0.0.1' } };
  assert.equal(none.of(request), '127.0.0.1', 'by default nobody is believed');
});

test('of several addresses the rightmost that is no trusted proxy counts, whatever a client has put left of it [S8]', () => {
  for (const [header, client] of [
    ['198.51.100.1, 203.0.113.5', '203.0.113.5'],
    ['127.0.0.1, 203.0.113.5', '203.0.113.5'],
    ['"; drop, ,unknown, 203.0.113.5', '203.0.113.5'],
    ['198.51.100.1, 203.0.113.5, 10.1.1.1,fd00::9', '203.0.113.5'],
    ['10.1.1.2, 10.1.1.1', '10.1.1.2'],
    ['203.0.113.5:4711', '203.0.113.5'],
    ['2001:DB8:0:0::1', '2001:db8::1'],
    ['[2001:db8::1]:4711', '2001:db8::1'],
  ] as const)
    assert.equal(clientOf('127.0.0.1', header), client, header);
  for (const [header, client] of [
    ['for=198.51.100.1, for=203.0.113.5;proto=https;by=10.1.1.1', '203.0.113.5'],
    ['For="203.0.113.5:4711"', '203.0.113.5'],
    ['proto=https; for="[2001:db8::1]:4711" , for="[fd00::9]"', '2001:db8::1'],
    ['for=_hidden;secret="a, b;c\\"", for=203.0.113.5', '203.0.113.5'],
  ] as const)
    assert.equal(clientOf('127.0.0.1', undefined, header), client, header);
});

test('a header that cannot be believed leaves the address of the proxy [S8]', () => {
  for (const header of [
    '',
    ',',
    'unknown',
    '203.0.113.5,',
    '203.0.113',
    '[203.0.113.5]',
    'fe80::1%eth0',
    'a.example',
  ])
    assert.equal(clientOf('127.0.0.1', header), '127.0.0.1', header);
  for (const header of [
    '203.0.113.5',
    'for=',
    'for=2001:db8::1',
    'for=unknown',
    'proto=https',
    'for=203.0.113.5;for=198.51.100.1',
    'for=203.0.113.5,',
    // What opens left of it would swallow what the proxy has written.
    'for="198.51.100.1, for=203.0.113.5',
    'for=198.51.100.1;a=", for="[2001:db8::1]"',
  ])
    assert.equal(clientOf('127.0.0.1', undefined, header), '127.0.0.1', header);
  // The proxy writes one of them, and has let the other one pass.
  assert.equal(clientOf('127.0.0.1', '203.0.113.5', 'for=198.51.100.1'), '127.0.0.1');
  assert.equal(clientOf('127.0.0.1', '203.0.113.5', 'for="'), '127.0.0.1');
  assert.equal(clientOf('127.0.0.1', '203.0.113.5', 'for=203.0.113.5'), '203.0.113.5');
  // What belongs to this machine alone is not given away.
  assert.equal(clientOf('10.1.1.1', '127.0.0.2'), '10.1.1.1');
});

test('behind a trusted proxy who guesses locks out himself alone, and the audit names him [S8]', async (t) => {
  const { client, claimCode, server } = await accessFixture(t, {
    status: { trustedProxies: ['127.0.0.9'] },
  });
  const boss = client();
  await boss.claim(claimCode());
  const logIn = async (through: string, forwardedFor: string, password: string) => {
    const body = JSON.stringify({ name: 'boss', password });
    const { status } = await ask(server.port, '/api/v1/session', {
      ...{ method: 'POST', body, localAddress: through },
      headers: {
        'Content-Type': 'application/json',
        'Content-Length': String(body.length),
        'X-Forwarded-For': forwardedFor,
      },
    });
    return status;
  };
  for (let guess = 0; guess < 4; guess++)
    assert.equal(await logIn('127.0.0.9', `198.51.100.${guess}, 203.0.113.5`, 'a guess'), 401);
  assert.equal(
    await logIn('127.0.0.9', '198.51.100.9, 203.0.113.5', goodPassword),
    429,
    'not another by the left part',
  );
  assert.equal(await logIn('127.0.0.9', '203.0.113.6', goodPassword), 200, 'his neighbour is not locked out');
  // Past the proxy nobody chooses his address.
  for (let guess = 0; guess < 4; guess++)
    assert.equal(await logIn('127.0.0.8', `203.0.113.${100 + guess}`, 'a guess'), 401);
  assert.equal(await logIn('127.0.0.8', '203.0.113.200', goodPassword), 429);
  const { entries } = (await boss.call('GET', 'audit')).json as { readonly entries: readonly AuditEntry[] };
  const places = entries.filter(({ act }) => act === 'POST /api/v1/session').map(({ from }) => from);
  assert.deepEqual(new Set(places), new Set(['203.0.113.5', '203.0.113.6', '127.0.0.8']));
});

test('the clients of a trusted proxy have requests and streams of their own each [S3]', async (t) => {
  const { server } = await startFixture(t, {
    status: { trustedProxies: ['127.0.0.9'], requestsPerSecond: 1, sseClients: 8 },
  });
  const get = (client: string) =>
    ask(server.port, '/ready', { localAddress: '127.0.0.9', headers: { 'X-Forwarded-For': client } });
  const statuses: number[] = [];
  for (let n = 0; n < 5; n++) statuses.push((await get('203.0.113.5')).status);
  assert.deepEqual(statuses, [200, 200, 200, 200, 429]);
  assert.equal((await get('203.0.113.6')).status, 200);
  const listen = async (client: string) => {
    const { response } = await openSse(t, server.port, {
      localAddress: '127.0.0.9',
      headers: { 'X-Forwarded-For': client },
    });
    return response.statusCode;
  };
  assert.deepEqual([await listen('203.0.113.7'), await listen('203.0.113.7')], [200, 200]);
  assert.equal(await listen('203.0.113.7'), 429);
  assert.equal(await listen('203.0.113.8'), 200);
});
