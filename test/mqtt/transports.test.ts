// The ways to a real mosquitto: TLS with either side's certificates, WebSocket, proxies, and all of them together.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import test from 'node:test';
import tls from 'node:tls';
import type { UplinkConfig } from '../../src/contracts/config/uplink-config.ts';
import { type Authority, type Certificate, makeAuthority } from '../support/certificates.ts';
import { freePort } from '../support/free-port.ts';
import { startMosquitto } from '../support/mosquitto.ts';
import { startHttpProxy, startSocksProxy } from '../support/proxies.ts';
import { tempDir } from '../support/temp-dir.ts';
import { startTestSession } from '../support/test-session.ts';
import { until } from '../support/until.ts';

type Context = Parameters<typeof tempDir>[0];

async function authorityIn(t: Context, name = 'authority'): Promise<{ dir: string; authority: Authority }> {
  const dir = await tempDir(t);
  return { dir, authority: await makeAuthority(dir, name) };
}

const serverFiles = ({ cert, key }: Certificate) => [`certfile ${cert}`, `keyfile ${key}`];

/** Connects, publishes one message with QoS 1, and stops. */
async function assertWorks(t: Context, config: Partial<UplinkConfig>): Promise<void> {
  const { connected, session, failures } = startTestSession(t, config);
  await connected().catch((error: unknown) => assert.fail(`${String(error)}: ${failures.join('; ')}`));
  const outcome = await new Promise<{ kind: string }>((settled) =>
    session.publish(
      { topic: 'x', payload: 'y'.repeat(100_000), qos: 1, retain: false, contentType: 'text/plain' },
      settled,
    ),
  );
  assert.equal(outcome.kind, 'accepted');
  await session.stop([]);
}

async function assertFails(t: Context, config: Partial<UplinkConfig>, why: RegExp): Promise<void> {
  const { failed, session, connections } = startTestSession(t, config);
  assert.match(await failed(), why);
  await session.stop([]);
  assert.deepEqual(connections, []);
}

test('a broker signed by the configured authority is used over TLS [L1]', async (t) => {
  const { authority } = await authorityIn(t);
  const broker = await startMosquitto(t, { config: serverFiles(await authority.issue('broker')) });
  await assertWorks(t, { url: `mqtts://127.0.0.1:${broker.port}`, caFile: authority.cert });
  await assertWorks(t, { url: `mqtts://localhost:${broker.port}`, caFile: authority.cert });
});

test('a broker of an unknown authority, of another name, or out of date is refused with the remedy [L1]', async (t) => {
  const { authority } = await authorityIn(t);
  const { authority: other } = await authorityIn(t, 'other');
  const broker = await startMosquitto(t, { config: serverFiles(await authority.issue('broker')) });
  const url = `mqtts://127.0.0.1:${broker.port}`;
  await assertFails(t, { url }, /authority is not (known here|the one)/);
  await assertFails(t, { url, caFile: other.cert }, /authority is not (known here|the one)/);
  const detour = await startHttpProxy(t, { to: broker.port });
  await assertFails(
    t,
    { url: 'mqtts://broker.example', proxy: `http://127.0.0.1:${detour.port}`, caFile: authority.cert },
    /certificate is for another name than the one in uplink\.url/,
  );
  const expired = await startMosquitto(t, {
    config: serverFiles(await authority.issue('expired', { days: -1 })),
  });
  await assertFails(
    t,
    { url: `mqtts://127.0.0.1:${expired.port}`, caFile: authority.cert },
    /has expired; renew it, or check this machine's clock/,
  );
});

async function startOldTlsServer(t: Context, { cert, key }: Certificate): Promise<number> {
  const server = tls.createServer({
    cert: await readFile(cert),
    key: await readFile(key),
    minVersion: 'TLSv1',
    maxVersion: 'TLSv1.1',
    ciphers: 'DEFAULT@SECLEVEL=0',
  });
  // The handshake that is meant to fail.
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

test('a plain port and a TLS port are told from one another [L1]', async (t) => {
  const broker = await startMosquitto(t);
  const { authority } = await authorityIn(t);
  await assertFails(
    t,
    { url: `mqtts://127.0.0.1:${broker.port}`, caFile: authority.cert },
    /cannot connect to mqtts:.*(TLS|closed the connection)/,
  );
});

test('a broker older than TLS 1.2 is refused [L1]', async (t) => {
  const { authority } = await authorityIn(t);
  const port = await startOldTlsServer(t, await authority.issue('broker'));
  await assertFails(
    t,
    { url: `mqtts://127.0.0.1:${port}`, caFile: authority.cert },
    /cannot connect to mqtts:.*TLS/,
  );
});

test('a broker that asks for a certificate gets ours, and says so when it is not accepted [L1]', async (t) => {
  const { authority, dir } = await authorityIn(t);
  const { authority: other } = await authorityIn(t, 'other');
  const config = [
    ...serverFiles(await authority.issue('broker')),
    `cafile ${authority.cert}`,
    'require_certificate true',
  ];
  const broker = await startMosquitto(t, { config });
  const url = `mqtts://127.0.0.1:${broker.port}`;
  const caFile = authority.cert;
  const own = await authority.issue('kiosk');
  await assertWorks(t, { url, caFile, certFile: own.cert, keyFile: own.key });
  await assertFails(t, { url, caFile }, /does not accept our certificate; check uplink\.certFile/);
  const foreign = await other.issue('kiosk');
  await assertFails(
    t,
    { url, caFile, certFile: foreign.cert, keyFile: foreign.key },
    /does not accept our certificate/,
  );

  // Renewed in place: read again at the next connect, without a restart.
  const [certFile, keyFile] = [path.join(dir, 'own.crt'), path.join(dir, 'own.key')];
  await copyFile(foreign.cert, certFile);
  await copyFile(foreign.key, keyFile);
  const renewed = startTestSession(t, { url, caFile, certFile, keyFile });
  await renewed.failed();
  await copyFile(own.cert, certFile);
  await copyFile(own.key, keyFile);
  await until('the renewed certificate is used', () => renewed.connections.length === 1);
});

test('files that cannot be used are named, with what is wrong and nothing of what is in them [L1]', async (t) => {
  const { authority, dir } = await authorityIn(t);
  const own = await authority.issue('kiosk');
  const foreignKey = (await authority.issue('stranger')).key;
  const garbage = path.join(dir, 'garbage.pem');
  await writeFile(garbage, '-----BEGIN CERTIFICATE-----\nplanted\n-----END CERTIFICATE-----\n');
  const [certFile, keyFile] = [own.cert, own.key];
  const url = 'mqtts://127.0.0.1:1';
  for (const [files, why] of [
    [{ caFile: '/nonexistent/ca.pem' }, /cannot read uplink\.caFile \/nonexistent\/ca\.pem: ENOENT/],
    [{ caFile: keyFile }, /uplink\.caFile .* holds no PEM block/],
    [{ caFile: garbage }, /uplink\.caFile .*garbage\.pem cannot be used/],
    [{ certFile }, /belong together: keyFile is not set/],
    [{ certFile: garbage, keyFile }, /uplink\.certFile .*garbage\.pem cannot be used/],
    [{ certFile, keyFile: foreignKey }, /uplink\.keyFile .* cannot be used/],
  ] as const) {
    const { failed, session } = startTestSession(t, { url, ...files });
    const said = await failed();
    assert.match(said, why);
    assert.doesNotMatch(said, /planted/);
    await session.stop([]);
  }
});

/** mosquitto 2.0.11 does not start with a WebSocket listener alone; this one is beside the plain one. */
async function startWebSocketBroker(t: Context, config: readonly string[] = []): Promise<number> {
  const port = await freePort();
  await startMosquitto(t, { config: [`listener ${port} 127.0.0.1`, 'protocol websockets', ...config] });
  return port;
}

test('WebSocket works, plain and with TLS [L1]', async (t) => {
  await assertWorks(t, { url: `ws://127.0.0.1:${await startWebSocketBroker(t)}/mqtt` });
  const { authority } = await authorityIn(t);
  const port = await startWebSocketBroker(t, serverFiles(await authority.issue('broker')));
  await assertWorks(t, { url: `wss://127.0.0.1:${port}/mqtt`, caFile: authority.cert });
  await assertFails(t, { url: `wss://127.0.0.1:${port}/mqtt` }, /authority is not (known here|the one)/);
});

test('a WebSocket address that leads to something else is said [L1]', async (t) => {
  const web = await startHttpProxy(t);
  await assertFails(t, { url: `ws://127.0.0.1:${web.port}/mqtt` }, /Unexpected server response: 404/);
});

for (const [kind, start] of [
  ['http', startHttpProxy],
  ['socks5', startSocksProxy],
  ['socks5h', startSocksProxy],
] as const) {
  test(`every kind of address works through a ${kind} proxy [L1]`, async (t) => {
    const { authority } = await authorityIn(t);
    const certificate = serverFiles(await authority.issue('broker'));
    const proxy = await start(t);
    for (const [scheme, port] of [
      ['mqtt', (await startMosquitto(t)).port],
      ['mqtts', (await startMosquitto(t, { config: certificate })).port],
      ['ws', await startWebSocketBroker(t)],
      ['wss', await startWebSocketBroker(t, certificate)],
    ] as const) {
      const caFile = scheme === 'mqtts' || scheme === 'wss' ? { caFile: authority.cert } : {};
      const url = `${scheme}://localhost:${port}`;
      await assertWorks(t, { url, proxy: `${kind}://127.0.0.1:${proxy.port}`, ...caFile });
      // socks5 resolves names here, socks5h and HTTP at the proxy.
      const host = kind === 'socks5' ? '127\\.0\\.0\\.1' : 'localhost';
      assert.match(proxy.targets.at(-1) ?? '', new RegExp(`^${host}:${port}$`), scheme);
    }
  });
}

test('a proxy that wants a login gets it, and its refusal is said without the password [L1]', async (t) => {
  const broker = await startMosquitto(t);
  const proxy = await startHttpProxy(t, { login: 'me:right' });
  await assertWorks(t, { url: broker.url, proxy: `http://me:right@127.0.0.1:${proxy.port}` });
  const wrong = startTestSession(t, { url: broker.url, proxy: `http://me:planted@127.0.0.1:${proxy.port}` });
  const why = await wrong.failed();
  assert.match(
    why,
    /the proxy http:\/\/127\.0\.0\.1:\d+ answered 407: put the user name and password into uplink\.proxy/,
  );
  assert.doesNotMatch(JSON.stringify([why, wrong.log.lines]), /planted/);
});

test('a SOCKS proxy that wants a login gets it, and its refusal is said without the password [L1]', async (t) => {
  const broker = await startMosquitto(t);
  const proxy = await startSocksProxy(t, { login: 'me:ri:ght€' });
  const login = `me:${encodeURIComponent('ri:ght€')}`;
  await assertWorks(t, { url: broker.url, proxy: `socks5://${login}@127.0.0.1:${proxy.port}` });
  await assertWorks(t, { url: broker.url, proxy: `socks5h://${login}@127.0.0.1:${proxy.port}` });
  const url = `socks5://me:planted@127.0.0.1:${proxy.port}`;
  const wrong = startTestSession(t, { url: broker.url, proxy: url });
  const why = await wrong.failed();
  assert.match(
    why,
    /the proxy socks5:\/\/127\.0\.0\.1:\d+: .*[Aa]uth.*check the user name and password in uplink\.proxy/,
  );
  assert.doesNotMatch(JSON.stringify([why, wrong.log.lines]), /planted/);
  const none = `socks5://127.0.0.1:${proxy.port}`;
  await assertFails(t, { url: broker.url, proxy: none }, /put the user name and password into uplink\.proxy/);
});

test('a SOCKS proxy that does not answer is given up in time [L1]', async (t) => {
  const proxy = await startSocksProxy(t, { silent: true });
  const url = 'mqtt://127.0.0.1:1';
  const session = { url, proxy: `socks5://127.0.0.1:${proxy.port}`, connectTimeoutMs: 200 };
  await assertFails(t, session, /no answer in time/);
});

test('a proxy that is not there, or cannot reach the broker, is said with its address [L1]', async (t) => {
  const http = await startHttpProxy(t);
  const socks = await startSocksProxy(t);
  const url = 'mqtt://127.0.0.1:1';
  await assertFails(
    t,
    { url, proxy: 'http://127.0.0.1:1' },
    /through the proxy http:\/\/127\.0\.0\.1:1: nothing listens there/,
  );
  await assertFails(
    t,
    { url, proxy: `http://127.0.0.1:${http.port}` },
    /through the proxy http:.*(closed the connection|socket hang up)/,
  );
  await assertFails(t, { url, proxy: 'socks5://127.0.0.1:1' }, /ECONNREFUSED/);
  await assertFails(t, { url, proxy: `socks5://127.0.0.1:${socks.port}` }, /Socket closed|closed/);
});
