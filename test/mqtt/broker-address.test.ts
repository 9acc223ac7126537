import assert from 'node:assert/strict';
import test from 'node:test';
import { parseBrokerAddress, parseProxyAddress } from '../../src/mqtt/broker-address.ts';

for (const [text, host, port, secure, webSocketPath, shown] of [
  ['mqtt://broker', 'broker', 1883, false, null, 'mqtt://broker:1883'],
  ['mqtts://broker.example', 'broker.example', 8883, true, null, 'mqtts://broker.example:8883'],
  ['mqtt://[::1]:1884', '::1', 1884, false, null, 'mqtt://[::1]:1884'],
  ['ws://broker/mqtt', 'broker', 80, false, '/mqtt', 'ws://broker:80'],
  ['wss://broker/mqtt?token=planted', 'broker', 443, true, '/mqtt?token=planted', 'wss://broker:443'],
  ['wss://broker:8443', 'broker', 8443, true, '/', 'wss://broker:8443'],
] as const) {
  test(`${text} is read as host, port and kind, and shown without its path [L1]`, () => {
    assert.deepEqual(parseBrokerAddress(text), { host, port, secure, webSocketPath, shown });
  });
}

for (const text of [
  '',
  'mqtt://',
  'http://broker',
  'mqtt://user:planted@broker',
  'mqtt://bro ker',
  'mqtt://broker:99999',
]) {
  test(`"${text}" is refused as a broker, without repeating what may be secret [L1]`, () => {
    assert.throws(
      () => parseBrokerAddress(text),
      (error: Error) =>
        'code' in error && error.code === 'mqtt.bad-address' && !error.message.includes('planted'),
    );
  });
}

test('a proxy is shown without its credentials [L1]', () => {
  assert.deepEqual(parseProxyAddress('http://me:p%40ss@proxy:3128'), {
    kind: 'http',
    host: 'proxy',
    port: 3128,
    credentials: { username: 'me', password: 'p@ss' },
    shown: 'http://proxy:3128',
  });
  assert.equal(parseProxyAddress('http://proxy').port, 80);
  assert.equal(parseProxyAddress('socks5h://proxy').port, 1080);
});

test('a SOCKS proxy takes a user and a password as SOCKS 5 allows them, and repeats neither when refused [L1]', () => {
  assert.deepEqual(parseProxyAddress('socks5h://me:p%40ss@proxy'), {
    kind: 'socks',
    version: 5,
    resolvesNames: true,
    host: 'proxy',
    port: 1080,
    credentials: { username: 'me', password: 'p@ss' },
    shown: 'socks5h://proxy:1080',
  });
  for (const [address, why] of [
    ['socks4://me:planted@proxy', /SOCKS 4 knows no passwords/],
    ['socks5://planted@proxy', /must both be there/],
    ['socks5://:planted@proxy', /must both be there/],
    [`socks5://me:planted${'x'.repeat(250)}@proxy`, /255 bytes at most/],
  ] as const)
    assert.throws(
      () => parseProxyAddress(address),
      (error: Error) => why.test(error.message) && !error.message.includes('planted'),
    );
});
