// Secrets of every kind in the shipped file as a real process, and then everything it says anywhere is searched for them.
import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { gunzipSync } from 'node:zlib';
import { totpAt, totpStep } from '../../src/status/access/totp.ts';
import { run } from '../cli/run.ts';
import { apiClient, goodPassword, owner } from '../status/api-client.ts';
import { fromBase32 } from '../status/from-base32.ts';
import { openSse } from '../status/sse-client.ts';
import { startDaemon } from '../support/daemon.ts';
import { startMosquitto } from '../support/mosquitto.ts';
import { startSubscriber } from '../support/mqtt-subscriber.ts';
import { startRedis } from '../support/redis.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import { usbBus } from '../support/usb-bus.ts';
import { webhookSecret } from '../support/webhook-receiver.ts';

const brokerPassword = 'planted-broker-password';
const urlSecret = 'planted-url-secret';

test('planted secrets appear in no output of any surface [M9, S8]', async (t) => {
  const dir = await tempDir(t);
  const redis = await startRedis(t);
  const broker = await startMosquitto(t);
  const bus = usbBus(t, dir);
  const subscriber = await startSubscriber(t, broker.url, '#');
  const daemon = await startDaemon(t, {
    dir,
    redisSocket: redis.socket,
    brokerUrl: broker.url,
    config: {
      usb: { sysfsRoot: bus.sysfsRoot, monitorCommand: bus.monitorCommand },
      uplink: {
        username: 'till',
        password: brokerPassword,
        webhooks: [
          {
            ...{ name: 'till', secret: webhookSecret, backoffMinMs: 50, backoffMaxMs: 200 },
            url: `http://127.0.0.1:9/hook?key=${urlSecret}`,
          },
        ],
      },
    },
  });
  bus.plug({ port: '1-1', vendorId: 0x046d, productId: 0xc31c, serial: 'K1', product: 'Keyboard' });
  const port = Number(new URL(daemon.url).port);
  const codeFile = path.join(dir, 'claim-code');
  const claimCode = await until(
    'the claim code',
    () => existsSync(codeFile) && readFileSync(codeFile, 'utf8').trim(),
  );
  const said: { readonly where: string; readonly text: string }[] = [];
  const hear = (where: string, text: string) => void said.push({ where, text });
  hear('console', await (await fetch(`${daemon.url}/api/v1/console`)).text());
  hear('state', await (await fetch(`${daemon.url}/api/v1/state`)).text());
  hear('log before the claim', JSON.stringify(daemon.log));

  const page = apiClient(port);
  assert.equal((await page.claim(claimCode)).status, 201);
  const secretBase32 = String((await page.call('POST', 'users/me/totp')).json.secret);
  const totpSecret = fromBase32(secretBase32);
  const nowStep = () => totpStep(Date.now());
  const enrolment = { code: totpAt(totpSecret, nowStep()), current: goodPassword };
  assert.equal((await page.call('PUT', 'users/me/totp', enrolment)).status, 204);
  const made = await page.call('POST', 'tokens', { name: 'scraper', role: 'admin', ...owner });
  const token = String(made.json.token);
  const userPassword = 'planted user password';
  await page.call('POST', 'users', { name: 'ada', password: userPassword, role: 'viewer', ...owner });
  const wrongPassword = 'planted wrong password';
  hear('a refused login', (await apiClient(port).logIn('ada', wrongPassword)).body);
  // A password in the wrong field, and in a body that is none.
  hear('a password as name', (await apiClient(port).logIn(wrongPassword, 'x')).body);
  hear('a password in no JSON', (await page.call('POST', 'session', undefined, {})).body);
  const setUp = {
    tenant: 'a',
    site: 'b',
    name: 'c',
    broker: { url: 'mqtts://x', password: 'planted-setup' },
  };
  hear('a refused set-up', (await page.call('POST', 'setup', { ...setUp, nonsense: 1 })).body);
  hear('a set-up', (await page.call('POST', 'setup', { ...setUp, replace: true })).body);

  const document = (await page.call('GET', 'openapi.json')).json.paths as Record<
    string,
    Record<string, unknown>
  >;
  const readable = Object.entries(document).filter(
    ([url, { get }]) => get !== undefined && !url.includes('{'),
  );
  assert.ok(readable.length > 15, String(readable.length));
  for (const [url] of readable) {
    if (['/api/v1/events', '/api/v1/session'].includes(url)) continue;
    const reply = await fetch(`${daemon.url}${url}`, { headers: { Authorization: `Bearer ${token}` } });
    // Nobody is trusted on this appliance, nobody can claim it any more, and it says so.
    const isRefused = ['/api/v1/trust', '/api/v1/claim-code'].includes(url);
    assert.equal(reply.ok, !isRefused, `${url}: ${reply.status}`);
    const bytes = Buffer.from(await reply.arrayBuffer());
    hear(url, (url.endsWith('diagnostics') ? gunzipSync(bytes) : bytes).toString());
    hear(`${url} headers`, JSON.stringify([...reply.headers]));
  }
  const sse = await openSse(t, port, { query: '?last=200' });
  hear('stream', JSON.stringify(await sse.received(3)));
  const socket = path.join(dir, 'control.sock');
  for (const command of [['status'], ['devices'], ['events'], ['logs'], ['user', 'list']])
    for (const more of [[], ['--json']]) {
      const { code, out, err } = await run(...command, '--socket', socket, ...more);
      assert.equal(code, 0, err);
      hear(`autoweave ${command.join(' ')}`, out + err);
    }
  const configFile = path.join(dir, 'autoweave.json');
  for (const args of [
    ['config', 'show', '--config', configFile],
    ['doctor', '--config', configFile, '--json'],
  ]) {
    const { out, err } = await run(...args);
    assert.ok(out.length > 100, err);
    hear(`autoweave ${args[0]}`, out + err);
  }
  await until('the broker has heard something', () => subscriber.messages.length > 3);
  assert.equal(await daemon.stop(), 0);
  hear('mqtt', JSON.stringify(subscriber.messages));
  hear('log', JSON.stringify(daemon.log));
  const stateDir = path.join(dir, 'state');
  const open = globSync('**/*', { cwd: stateDir }).filter((name) => {
    const { mode } = statSync(path.join(stateDir, name));
    return statSync(path.join(stateDir, name)).isFile() && ((mode & 0o077) !== 0 || name.startsWith('audit'));
  });
  for (const name of open) hear(name, readFileSync(path.join(stateDir, name), 'latin1'));
  assert.ok(open.some((name) => name.startsWith('audit')));

  const planted = {
    ...{
      brokerPassword,
      webhookSecret,
      urlSecret,
      goodPassword,
      userPassword,
      wrongPassword,
    },
    ...{ token, totpBase32: secretBase32, totpBase64: totpSecret.toString('base64'), setUp: 'planted-setup' },
    ...{ cookie: page.cookie.split('=')[1] ?? '', csrf: page.csrf },
    ...{ claimCode, claimCodePlain: claimCode.replace('-', '') },
    argon2: '$argon2id$',
  };
  for (const [what, secret] of Object.entries(planted)) {
    assert.ok(secret.length >= 8, what);
    const found = said.filter(({ text }) => text.includes(secret)).map(({ where }) => where);
    assert.deepEqual(found, [], `${what} is in an output`);
  }
  assert.ok(
    said.some(({ text }) => text.includes('POST /api/v1/claim')),
    'the search itself finds what is there',
  );
});
