import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import test from 'node:test';
import type { PartState } from '../../src/contracts/health.ts';
import type { UsbDevice } from '../../src/contracts/usb-device.ts';
import type { UsbVerdict } from '../../src/contracts/usb-policy.ts';
import { idleControl } from './idle-control.ts';
import { ask, healthy, startFixture } from './status-fixture.ts';

const paths = ['/', '/health', '/ready', '/metrics', '/api/v1/state', '/api/v1/devices'];

const device: UsbDevice = {
  port: '1-1',
  bus: 1,
  address: 2,
  identity: null,
  hasSerial: false,
  configurations: 1,
  interfaces: [],
  problems: [],
};

test('every route answers GET and HEAD with the same headers, none of which lets it be stored or framed [S3]', async (t) => {
  const { server, metrics } = await startFixture(t);
  for (const path of paths) {
    const got = await ask(server.port, path);
    const head = await ask(server.port, path, { method: 'HEAD' });
    assert.equal(got.status, 200, path);
    assert.ok(got.body.length > 0);
    assert.equal(head.body, '');
    assert.deepEqual({ ...head.headers, date: '' }, { ...got.headers, date: '' });
    assert.equal(Number(got.headers['content-length']), Buffer.byteLength(got.body));
    assert.equal(metrics.total('status.requests', { route: path, code: '200' }), 2);
  }
});

test('everything that is sent carries the secure headers, refusals included [S3]', async (t) => {
  const { server } = await startFixture(t);
  for (const path of [...paths, '/none']) {
    const { headers } = await ask(server.port, path);
    assert.match(String(headers['content-security-policy']), /^default-src 'none'.*frame-ancestors 'none'/);
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.equal(headers['referrer-policy'], 'no-referrer');
    assert.equal(headers['cache-control'], 'no-store');
    assert.equal(headers['cross-origin-resource-policy'], 'same-origin');
    assert.equal(headers['access-control-allow-origin'], undefined);
    assert.equal(headers['x-powered-by'] ?? headers.server, undefined);
  }
});

test('/health is 503 when a part is down, and 200 when it is degraded or unknown [S3]', async (t) => {
  let state: PartState = 'ok';
  const { server } = await startFixture(t, { health: () => ({ ...healthy, state }) });
  const statuses: number[] = [];
  for (state of ['ok', 'degraded', 'unknown', 'down'] as const)
    statuses.push((await ask(server.port, '/health')).status);
  assert.deepEqual(statuses, [200, 200, 200, 503]);
  const report = JSON.parse((await ask(server.port, '/health')).body) as object;
  assert.deepEqual(report, { ...healthy, state: 'down' });
});

test('/ready says why it is not [S3]', async (t) => {
  let ready: boolean | string = true;
  const { server } = await startFixture(t, { isReady: () => ready });
  assert.deepEqual(JSON.parse((await ask(server.port, '/ready')).body), { ready: true });
  ready = 'Redis has not answered yet';
  const { status, body, headers } = await ask(server.port, '/ready');
  assert.equal(status, 503);
  assert.equal(headers['retry-after'], '5');
  assert.deepEqual(JSON.parse(body), { ready: false, reason: 'Redis has not answered yet' });
});

test('the devices come with their time, their source, what they rest on, and whether they are simulated [S7]', async (t) => {
  const at = '2026-01-01T00:00:00.900Z';
  const coming = (port: string) => ({ port, state: 'enumerating', speedMbps: 12, at }) as const;
  const { server, buffer } = await startFixture(t, {
    devices: () => [device],
    // A device that is listed has arrived.
    ports: () => [coming('9-9'), coming(device.port)],
  });
  buffer.append(4);
  const answer = JSON.parse((await ask(server.port, '/api/v1/devices')).body) as object;
  assert.deepEqual(answer, {
    source: 'urn:autoweave:acme:plant:edge-1',
    simulated: true,
    time: '2026-01-01T00:00:01.000Z',
    clock: 'synced',
    lastEventId: '1-4',
    restsOn: { usb: healthy.parts.usb },
    devices: [{ ...device, verdict: { target: null, rule: null, reason: null, at: null } }],
    ports: [coming('9-9')],
  });
});

test('a verdict comes with the time since when it holds, whenever it is asked for [S7]', async (t) => {
  const verdict: UsbVerdict = { target: 'block', by: 'rule', line: 2, reason: 'block', enforced: true };
  const since = '2026-01-01T00:00:00.500Z';
  const { server, clock } = await startFixture(t, {
    devices: () => [{ ...device, policy: verdict }],
    control: { ...idleControl, verdictAt: (port) => (port === device.port ? { verdict, since } : null) },
  });
  const shown = async () => {
    const { devices } = JSON.parse((await ask(server.port, '/api/v1/devices')).body) as {
      readonly devices: readonly { readonly verdict: unknown }[];
    };
    return devices[0]?.verdict;
  };
  const expected = { target: 'block', rule: 'block', reason: 'block', at: since };
  assert.deepEqual(await shown(), expected);
  clock.advance(60_000);
  assert.deepEqual(await shown(), expected);
});

test('the metrics are those of the registry [M1]', async (t) => {
  const { server } = await startFixture(t);
  const { headers, body } = await ask(server.port, '/metrics');
  assert.equal(headers['content-type'], 'text/plain; version=0.0.4');
  assert.equal(body, 'autoweave_x 1\n');
});

test('what is not there, not possible or not wanted is refused with a code, a reason and a remedy [Q3]', async (t) => {
  const { server, metrics } = await startFixture(t);
  for (const [path, options, status, code] of [
    ['/none', {}, 404, 'status.not-found'],
    ['//health', {}, 404, 'status.not-found'],
    ['/health/../metrics', {}, 404, 'status.not-found'],
    ['/constructor', {}, 404, 'status.not-found'],
    ['/health', { method: 'POST', body: '{}' }, 405, 'status.method-not-allowed'],
    ['/health', { method: 'DELETE' }, 405, 'status.method-not-allowed'],
    ['/health', { method: 'OPTIONS' }, 405, 'status.method-not-allowed'],
    [
      '/health',
      { method: 'GET', body: 'x', headers: { 'Content-Length': '1' } },
      413,
      'status.body-not-allowed',
    ],
    ['http://127.0.0.1/health', {}, 400, 'status.malformed-request'],
  ] as const) {
    const reply = await ask(server.port, path, options);
    assert.equal(reply.status, status, path);
    const body = JSON.parse(reply.body) as Record<string, string>;
    assert.equal(body.code, code);
    assert.deepEqual(Object.keys(body), ['type', 'title', 'status', 'code', 'detail', 'remedy']);
    assert.match(String(reply.headers['content-type']), /^application\/problem\+json/);
    if (status === 405) assert.equal(reply.headers.allow, 'GET, HEAD');
  }
  assert.equal(metrics.total('status.requests', { route: 'unknown', code: '404' }), 4);
});

test('a query does not change the route [S3]', async (t) => {
  const { server } = await startFixture(t);
  assert.equal((await ask(server.port, '/health?x=%zz&y=?')).status, 200);
});

test('only addresses, localhost, the own host name and configured names are answered [S3]', async (t) => {
  const { server } = await startFixture(t, { status: { hostNames: ['Edge.Example'] } });
  const status = async (Host: string) => (await ask(server.port, '/health', { headers: { Host } })).status;
  for (const host of [
    '127.0.0.1:8480',
    '192.0.2.7',
    '[::1]:8480',
    'localhost',
    'LOCALHOST.:80',
    hostname(),
    'edge.example:8480',
  ]) {
    assert.equal(await status(host), 200, host);
  }
  for (const host of [
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    '[evil]',
    'a b',
    ':80',
  ]) {
    assert.equal(await status(host), 421, host);
  }
});

test('one address has its requests limited and is told when to come again [S3]', async (t) => {
  const { server, clock, log } = await startFixture(t, { status: { requestsPerSecond: 2 } });
  const burst = await Promise.all(Array.from({ length: 12 }, () => ask(server.port, '/health')));
  assert.equal(burst.filter(({ status }) => status === 200).length, 8);
  const refused = burst.find(({ status }) => status === 429);
  assert.equal(refused?.headers['retry-after'], '1');
  assert.match(refused?.body ?? '', /"status\.too-many-requests"/);
  clock.advance(1_000);
  const after = await Promise.all(Array.from({ length: 3 }, () => ask(server.port, '/health')));
  assert.equal(after.filter(({ status }) => status === 200).length, 2);
  assert.deepEqual(log.lines, [], 'a flood of requests is not a flood of log lines');
});

test('an answer that cannot be made is one 500 with a code, and is logged [Q3]', async (t) => {
  const { server, log, metrics } = await startFixture(t, {
    metricsText: () => Promise.reject(new Error('collector broke')),
    devices: () => {
      throw new Error('no devices');
    },
  });
  for (const path of ['/metrics', '/api/v1/devices']) {
    const { status, body } = await ask(server.port, path);
    assert.equal(status, 500);
    assert.match(body, /"status\.internal"/);
    assert.doesNotMatch(body, /broke|no devices/);
  }
  assert.equal(log.lines.filter(({ level }) => level === 'error').length, 2);
  assert.equal(metrics.total('status.requests', { route: '/metrics', code: '500' }), 1);
});
