import assert from 'node:assert/strict';
import test from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { totpAt, totpStep } from '../../../src/status/access/totp.ts';
import { accessFixture } from '../access-fixture.ts';
import { type ApiReply, goodPassword, owner } from '../api-client.ts';
import { fromBase32 } from '../from-base32.ts';
import { ask } from '../status-fixture.ts';
import { willingControl, willingDevice } from '../willing-control.ts';

interface Described {
  readonly 'x-role': string;
  readonly parameters: readonly { readonly name: string; readonly in: string }[];
  readonly requestBody?: unknown;
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { schema?: object }>> }>
  >;
}

type Case = readonly [operation: string, url: string, body?: unknown, expected?: string];
const broker = { url: 'mqtts://broker.example' };
const names = { tenant: 'a', site: 'b', name: 'c' };

/** Of every operation: what it takes, in the order in which they leave each other whole. */
const good: readonly Case[] = [
  ['get /', '/'],
  ['get /health', '/health'],
  ['get /ready', '/ready'],
  ['get /metrics', '/metrics'],
  ['get /api/v1/session', '/api/v1/session'],
  ['get /api/v1/state', '/api/v1/state'],
  ['get /api/v1/console', '/api/v1/console'],
  ['get /api/v1/devices', '/api/v1/devices'],
  ['get /api/v1/events/history', '/api/v1/events/history?limit=3&type=usb.&before=1-9'],
  ['get /api/v1/plugins', '/api/v1/plugins'],
  ['get /api/v1/plugins/{name}', '/api/v1/plugins/probe'],
  ['get /api/v1/plugins/{name}/logs', '/api/v1/plugins/probe/logs'],
  ['get /api/v1/trust', '/api/v1/trust'],
  ['get /api/v1/logs', '/api/v1/logs?level=warn&limit=10'],
  ['get /api/v1/settings', '/api/v1/settings'],
  ['get /api/v1/diagnostics', '/api/v1/diagnostics'],
  ['get /api/v1/users', '/api/v1/users'],
  ['get /api/v1/tokens', '/api/v1/tokens'],
  ['get /api/v1/audit', '/api/v1/audit?limit=5&before=100'],
  ['get /api/v1/openapi.json', '/api/v1/openapi.json'],
  ['post /api/v1/plugins', '/api/v1/plugins', { bundle: 'AAAAAAAA', signature: 'untrusted comment' }],
  ['post /api/v1/trust', '/api/v1/trust', { text: '{}' }],
  ['post /api/v1/plugins/{name}/enable', '/api/v1/plugins/probe/enable'],
  ['post /api/v1/plugins/{name}/disable', '/api/v1/plugins/probe/disable'],
  ['post /api/v1/plugins/{name}/restart', '/api/v1/plugins/probe/restart'],
  ['post /api/v1/plugins/{name}/rollback', '/api/v1/plugins/probe/rollback'],
  ['delete /api/v1/plugins/{name}', '/api/v1/plugins/probe'],
  ['post /api/v1/devices/{port}/allow', '/api/v1/devices/1-1.4/allow', { reason: 'known', address: 7 }],
  ['post /api/v1/devices/{port}/block', '/api/v1/devices/1-1.4/block'],
  ['post /api/v1/setup', '/api/v1/setup', { ...names, broker, replace: true }],
  ['post /api/v1/identify', '/api/v1/identify', { seconds: 300 }],
  ['post /api/v1/reboot', '/api/v1/reboot'],
  ['post /api/v1/factory-reset', '/api/v1/factory-reset', { confirm: 'edge-1' }],
  ['post /api/v1/users', '/api/v1/users', { name: 'ada', password: goodPassword, role: 'viewer', ...owner }],
  ['put /api/v1/users/{name}', '/api/v1/users/ada', { role: 'operator', ...owner }],
  ['delete /api/v1/users/{name}', '/api/v1/users/ada'],
  ['post /api/v1/tokens', '/api/v1/tokens', { name: 'scraper', role: 'viewer', ...owner }],
  ['delete /api/v1/tokens/{name}', '/api/v1/tokens/scraper'],
  ['post /api/v1/users/me/totp', '/api/v1/users/me/totp'],
  // put and delete of it, the own password, claim, login, logout and the stream: below.
];
const elsewhere = [
  // Through the local socket alone.
  'get /api/v1/claim-code',
  ...[
    'put /api/v1/users/me/password',
    'put /api/v1/users/me/totp',
    'delete /api/v1/users/me/totp',
    'post /api/v1/claim',
  ],
  ...['post /api/v1/session', 'delete /api/v1/session', 'get /api/v1/events'],
];

const bad: readonly Case[] = [
  ['get history', '/api/v1/events/history?limit=0', undefined, '400 status.invalid-request'],
  ['get history', '/api/v1/events/history?before=x', undefined, '400 status.invalid-request'],
  ['get history', '/api/v1/events/history?nonsense=1', undefined, '400 status.invalid-request'],
  ['get logs', '/api/v1/logs?level=loud', undefined, '400 status.invalid-request'],
  ['get audit', '/api/v1/audit?limit=9999', undefined, '400 status.invalid-request'],
  ['get plugin', '/api/v1/plugins/none', undefined, '404 plugins.not-installed'],
  ['get plugin', '/api/v1/plugins/..%2f..', undefined, '404 status.not-found'],
  ['get logs of', '/api/v1/plugins/none/logs', undefined, '404 plugins.not-installed'],
  ...(['enable', 'disable', 'restart', 'rollback'] as const).map(
    (verb): Case => ['post plugin', `/api/v1/plugins/none/${verb}`, undefined, '404 plugins.not-installed'],
  ),
  ['post plugin', '/api/v1/plugins/probe/restart', { x: 1 }, '413 status.body-not-allowed'],
  ['delete plugin', '/api/v1/plugins/none', undefined, '404 plugins.not-installed'],
  ['post plugins', '/api/v1/plugins', undefined, '400 status.invalid-request'],
  ['post plugins', '/api/v1/plugins', { bundle: '!', signature: '' }, '400 status.invalid-request'],
  ['post plugins', '/api/v1/plugins', { bundle: 'AA==', signature: '' }, '404 plugins.not-installed'],
  ['post trust', '/api/v1/trust', { first: true }, '400 status.invalid-request'],
  ['post trust', '/api/v1/trust', { text: '{}', first: true }, '409 trust.already-first'],
  ['post allow', '/api/v1/devices/1-1.9/allow', {}, '404 policy.not-there'],
  ['post block', '/api/v1/devices/usb1/block', {}, '404 status.not-found'],
  ['post block', '/api/v1/devices/1-1.4/block', { reason: 1 }, '400 status.invalid-request'],
  ['post setup', '/api/v1/setup', { ...names, broker }, '409 system.provisioned'],
  ['post setup', '/api/v1/setup', { ...names, broker: { url: 'http://x' } }, '400 status.invalid-request'],
  ['post setup', '/api/v1/setup', { ...names, site: '../x', broker }, '400 status.invalid-request'],
  ['post identify', '/api/v1/identify', { seconds: 301 }, '400 status.invalid-request'],
  ['post identify', '/api/v1/identify', { seconds: '5' }, '400 status.invalid-request'],
  ['post identify', '/api/v1/identify', [], '400 status.invalid-request'],
  ['post identify', '/api/v1/identify', null, '400 status.invalid-request'],
  ['post identify', '/api/v1/identify', { seconds: 5, x: 'y'.repeat(20_000) }, '413 status.body-too-large'],
  ['post reboot', '/api/v1/reboot', {}, '413 status.body-not-allowed'],
  ['post factory-reset', '/api/v1/factory-reset', { confirm: 'EDGE-1' }, '409 status.not-confirmed'],
  [
    'post users',
    '/api/v1/users',
    { name: 'boss', password: goodPassword, role: 'viewer', ...owner },
    '409 status.user-exists',
  ],
  [
    'post users',
    '/api/v1/users',
    { name: 'a b', password: goodPassword, role: 'viewer' },
    '400 status.invalid-request',
  ],
  [
    'post users',
    '/api/v1/users',
    { name: 'x', password: 'short', role: 'viewer' },
    '400 status.invalid-request',
  ],
  [
    'post users',
    '/api/v1/users',
    { name: 'x', password: goodPassword, role: 'root' },
    '400 status.invalid-request',
  ],
  [
    'post users',
    '/api/v1/users',
    { name: 'x', password: goodPassword, role: 'viewer' },
    '403 status.password-needed',
  ],
  ['put users', '/api/v1/users/none', { role: 'viewer', ...owner }, '404 status.user-unknown'],
  ['put users', '/api/v1/users/boss', {}, '400 status.invalid-request'],
  ['put users', '/api/v1/users/boss', { currentPassword: goodPassword }, '400 status.invalid-request'],
  ['put users', '/api/v1/users/boss', { password: goodPassword }, '403 status.password-needed'],
  ['put users', '/api/v1/users/boss', { role: 'viewer' }, '403 status.password-needed'],
  [
    'put users',
    '/api/v1/users/boss',
    { password: goodPassword, currentPassword: 'not this one' },
    '403 status.password-wrong',
  ],
  ['put users', '/api/v1/users/boss', { role: 'viewer', ...owner }, '409 status.last-admin'],
  ['delete users', '/api/v1/users/boss', undefined, '409 status.last-admin'],
  ['delete users', '/api/v1/users/none', undefined, '404 status.user-unknown'],
  ['put password', '/api/v1/users/me/password', { password: goodPassword }, '400 status.invalid-request'],
  [
    'put password',
    '/api/v1/users/me/password',
    { current: 'x', password: 'short' },
    '400 status.invalid-request',
  ],
  [
    'put password',
    '/api/v1/users/me/password',
    { current: 'not this one', password: goodPassword },
    '403 status.password-wrong',
  ],
  ['put totp', '/api/v1/users/me/totp', { code: '000000', current: goodPassword }, '403 status.totp-wrong'],
  ['put totp', '/api/v1/users/me/totp', { code: '000000' }, '400 status.invalid-request'],
  ['put totp', '/api/v1/users/me/totp', { code: 'abc' }, '400 status.invalid-request'],
  ['delete totp', '/api/v1/users/me/totp', { code: '000000' }, '403 status.totp-wrong'],
  ['post tokens', '/api/v1/tokens', { name: 'x', role: 'viewer' }, '403 status.password-needed'],
  ['post tokens', '/api/v1/tokens', { name: '../x', role: 'viewer' }, '400 status.invalid-request'],
  ['delete tokens', '/api/v1/tokens/none', undefined, '404 status.token-unknown'],
  [
    'post claim',
    '/api/v1/claim',
    { code: 'X', name: 'eve', password: goodPassword },
    '409 status.already-claimed',
  ],
  ['get claim-code', '/api/v1/claim-code', undefined, '409 status.already-claimed'],
  ['post claim', '/api/v1/claim', {}, '400 status.invalid-request'],
  ['post session', '/api/v1/session', { name: 'boss' }, '400 status.invalid-request'],
  ['patch users', '/api/v1/users', undefined, '405 status.method-not-allowed'],
  ['get reboot', '/api/v1/reboot', undefined, '405 status.method-not-allowed'],
];

test('every operation of the OpenAPI file does as it says, with good input and with bad [S3]', async (t) => {
  const { client, claimCode, clock, server } = await accessFixture(t, {
    ...{ control: willingControl, devices: () => [willingDevice] },
  });
  const page = client();
  const call = (method: string, url: string, body?: unknown) =>
    url.startsWith('/api/v1/')
      ? page.call(method, url.slice('/api/v1/'.length), body)
      : ask(server.port, url, { method, headers: { Cookie: page.cookie } }).then(
          (reply): ApiReply => ({
            ...reply,
            json: /json/.test(String(reply.headers['content-type']))
              ? (JSON.parse(reply.body) as ApiReply['json'])
              : {},
          }),
        );
  const document = (await page.call('GET', 'openapi.json')).json as unknown as {
    readonly openapi: string;
    readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>;
    readonly components: { readonly schemas: { readonly Problem: object } };
  };
  assert.equal(document.openapi, '3.1.0');
  const ajv = new Ajv2020({ strict: false });
  const conforms = (schema: object, value: unknown, what: string) =>
    assert.ok(
      ajv.validate(schema, value),
      `${what}: ${ajv.errorsText()} in ${JSON.stringify(value).slice(0, 300)}`,
    );
  const described = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, about]) => ({ key: `${method} ${path}`, about })),
  );
  const asIt = (key: string, reply: ApiReply) => {
    const { about } =
      described.find((each) => each.key === key) ?? assert.fail(`${key} is not in the document`);
    const answer = about.responses[String(reply.status)];
    assert.ok(answer, `${key} answered ${reply.status} ${reply.body.slice(0, 300)}`);
    const [[type, { schema }] = ['', {} as { schema?: object }]] = Object.entries(answer.content ?? {});
    if (type !== '') assert.ok(String(reply.headers['content-type']).startsWith(type), key);
    if (schema !== undefined) conforms(schema, reply.json, key);
  };

  const covered = new Set([...good.map(([key]) => key), ...elsewhere]);
  assert.deepEqual(
    described.map(({ key }) => key).sort(),
    [...covered].sort(),
    'every operation has its case',
  );

  asIt('post /api/v1/claim', await page.claim(claimCode()));
  let secret = '';
  for (const [key, url, body] of good) {
    const reply = await call(key.split(' ')[0]?.toUpperCase() ?? '', url, body);
    asIt(key, reply);
    if (key === 'post /api/v1/users/me/totp') secret = String(reply.json.secret);
  }
  const code = () => totpAt(fromBase32(secret), totpStep(clock.now().wallMs));
  asIt(
    'put /api/v1/users/me/totp',
    await page.call('PUT', 'users/me/totp', { code: code(), current: goodPassword }),
  );
  clock.advance(60_000);
  asIt('delete /api/v1/users/me/totp', await page.call('DELETE', 'users/me/totp', { code: code() }));
  const words = { current: goodPassword, password: 'another long one' };
  asIt('put /api/v1/users/me/password', await page.call('PUT', 'users/me/password', words));
  const back = { current: words.password, password: goodPassword };
  asIt('put /api/v1/users/me/password', await page.call('PUT', 'users/me/password', back));
  const both = { currentPassword: goodPassword, password: goodPassword };
  asIt('put /api/v1/users/{name}', await page.call('PUT', 'users/boss', both));
  const stream = await ask(server.port, '/api/v1/events', {
    method: 'HEAD',
    headers: { Cookie: page.cookie },
  });
  asIt('get /api/v1/events', { ...stream, json: {} });

  for (const [what, url, body, expected] of bad) {
    const reply = await call(what.split(' ')[0]?.toUpperCase() ?? '', url, body);
    assert.equal(`${reply.status} ${String(reply.json.code)}`, expected, `${what} ${url} ${reply.body}`);
    conforms(document.components.schemas.Problem, reply.json, what);
    assert.match(String(reply.headers['content-type']), /^application\/problem\+json/);
  }
  for (const { key, about } of described) {
    if (about['x-role'] === 'public') continue;
    const [method = '', path = ''] = key.split(' ');
    const url = path.replace('{name}', 'probe').replace('{port}', '1-1');
    const reply = await ask(server.port, url, { method: method.toUpperCase() });
    assert.equal(reply.status, 401, `a stranger: ${key}`);
  }
  asIt('delete /api/v1/session', await page.call('DELETE', 'session'));
  asIt('post /api/v1/session', await page.logIn('boss', goodPassword));
});

test('who names the tag of what he has gets 304, until it changes [S3]', async (t) => {
  const { client, claimCode } = await accessFixture(t, { control: willingControl });
  const page = client();
  await page.claim(claimCode());
  for (const path of ['openapi.json', 'users', 'settings', 'logs']) {
    const first = await page.call('GET', path);
    const tag = String(first.headers.etag);
    const again = await page.call('GET', path, undefined, { 'If-None-Match': `"other", ${tag}` });
    assert.deepEqual([again.status, again.body, again.headers.etag], [304, '', tag], path);
  }
  const { headers } = await page.call('GET', 'users');
  await page.call('POST', 'users', { name: 'ada', password: goodPassword, role: 'viewer', ...owner });
  const changed = await page.call('GET', 'users', undefined, { 'If-None-Match': String(headers.etag) });
  assert.equal(changed.status, 200);
});

test('the history pages back to the oldest event, newest first, each once [S3]', async (t) => {
  const { client, buffer } = await accessFixture(t, { status: { public: 'all' } });
  buffer.append(730);
  const page = client();
  const ids: string[] = [];
  for (let next: unknown = ''; next !== null; ) {
    const { json } = await page.call(
      'GET',
      `events/history?limit=100${next === '' ? '' : `&before=${String(next)}`}`,
    );
    ids.push(...(json.events as readonly { id: string }[]).map(({ id }) => id));
    next = json.next;
  }
  assert.deepEqual(
    ids,
    Array.from({ length: 730 }, (_, index) => `1-${730 - index}`),
  );
  buffer.trim(5);
  const kept = await page.call('GET', 'events/history?limit=100');
  assert.equal((kept.json.events as unknown[]).length, 5);
  assert.equal((await page.call('GET', 'events/history?type=ota.')).json.next, null);
});
