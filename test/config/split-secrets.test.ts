import assert from 'node:assert/strict';
import test from 'node:test';
import { keepSecrets } from '../../src/config/keep-secrets.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { keysOf, sections } from '../../src/config/schema-node.ts';
import { machineFields, splitSecrets } from '../../src/config/split-secrets.ts';

const file = '/config/autoweave.json';
const split = (content: unknown) =>
  splitSecrets({ file, text: typeof content === 'string' ? content : JSON.stringify(content) });

function parts(content: unknown) {
  const verdict = split(content);
  assert.ok(verdict.ok, JSON.stringify(verdict));
  return verdict;
}

const filled = {
  appliance: { tenant: 'acme', site: 'north', name: 'till-3' },
  uplink: {
    url: 'mqtts://u:hush-1@broker.example:8883/x',
    username: 'u',
    password: 'hush-2',
    proxy: 'http://p:hush-3@proxy:3128',
  },
};

test('a provisioning file is parted into settings without a secret and the secrets, and both together are the file [I5]', () => {
  const { config, publicText, secrets } = parts(filled);
  assert.doesNotMatch(publicText + JSON.stringify(config), /hush/);
  assert.deepEqual(secrets, {
    uplink: { url: filled.uplink.url, password: 'hush-2', proxy: filled.uplink.proxy },
  });
  assert.equal(config.uplink.url, 'mqtts://broker.example:8883/x');
  assert.equal(config.appliance.name, 'till-3');
  const whole = loadConfig({ file, text: JSON.stringify(filled), environment: {} });
  const layered = loadConfig({
    file,
    text: publicText,
    secrets: { file: '/state/secrets.json', text: JSON.stringify(secrets) },
    environment: {},
  });
  assert.deepEqual(layered, whole);
  assert.ok(layered.ok);
});

test('every key that is marked as a secret is taken out of the file [I5]', () => {
  for (const section of Object.keys(sections)) {
    for (const [key, node] of Object.entries(keysOf(section))) {
      if (node.secret !== true || machineFields.includes(`${section}.${key}`)) continue;
      const { publicText } = parts({ [section]: { [key]: 'http://hush', username: 'u' } });
      assert.doesNotMatch(publicText, /hush/, `${section}.${key}`);
    }
  }
});

test('a file without secrets stays the same text, and parting twice changes nothing more [I5]', () => {
  const text = '\uFEFF{ "appliance": { "name": "till-3" } }';
  assert.equal(parts(text).publicText, text);
  const once = parts(filled).publicText;
  const twice = parts(once);
  assert.equal(twice.publicText, once);
  assert.deepEqual(twice.secrets, {});
});

test('a wrong file is refused whole, with every field named and no secret quoted [I5]', () => {
  const refusals: readonly (readonly [unknown, readonly string[]])[] = [
    ['{"uplink": {"password": "hush"', ['config.not-json ']],
    ['[]', ['config.wrong-type ']],
    ['{"uplink":{"url":null},"uplink":{}}', ['config.duplicate-key uplink']],
    [{ uplink: { passwort: 'hush' } }, ['config.unknown-key uplink.passwort']],
    [
      { uplink: { password: 7 }, appliance: { name: 'a b' } },
      ['config.not-allowed appliance.name', 'config.wrong-type uplink.password'],
    ],
    [{ uplink: 'hush' }, ['config.wrong-type uplink']],
    [
      { usb: { monitorCommand: ['sh', '-c', 'id'] }, uplink: { username: 'u', password: 'hush' } },
      ['config.not-allowed usb.monitorCommand'],
    ],
    ['{"__proto__":{"password":"hush"}}', ['config.unknown-key __proto__']],
  ];
  for (const [content, expected] of refusals) {
    const verdict = split(content);
    assert.ok(!verdict.ok, JSON.stringify(content));
    assert.deepEqual(verdict.problems.map(({ code, path }) => `${code} ${path}`).sort(), [...expected]);
    for (const { message } of verdict.problems) assert.match(message, /\/config\/autoweave\.json/);
    if (content !== refusals[5]?.[0]) assert.doesNotMatch(JSON.stringify(verdict.problems), /hush/);
  }
});

test('what a file may not set is a field that exists [I5]', () => {
  for (const field of machineFields) {
    const [section = '', key = ''] = field.split('.');
    assert.ok(Object.hasOwn(keysOf(section), key), field);
  }
});

test('a sealed password is kept for the broker it was given for, and for no other [I5, Q3]', () => {
  const { config: before, secrets: sealed } = parts(filled);
  const publicPart = { ...filled, uplink: { url: 'mqtts://broker.example:8883/x', username: 'u' } };
  const after = (uplink: object) => parts({ ...publicPart, uplink: { ...publicPart.uplink, ...uplink } });

  const same = keepSecrets({ sealed, before, after: after({ window: 7 }).config, fresh: {} });
  assert.deepEqual(same, { secrets: sealed, dropped: [] });

  const onlyProxy = { uplink: { proxy: filled.uplink.proxy } };
  for (const change of [
    { url: 'mqtts://elsewhere.example:8883/x' },
    { url: 'mqtt://broker.example:8883/x' },
    { username: 'other' },
    { caFile: '/config/own-ca.pem' },
  ]) {
    const { config, secrets: fresh } = after(change);
    assert.deepEqual(keepSecrets({ sealed, before, after: config, fresh }), {
      secrets: onlyProxy,
      dropped: ['uplink.url', 'uplink.password'],
    });
  }
  assert.deepEqual(keepSecrets({ sealed, before: null, after: before, fresh: {} }).secrets, onlyProxy);

  const moved = after({ url: 'mqtts://elsewhere.example:8883', password: 'hush-4' });
  assert.deepEqual(keepSecrets({ sealed, before, after: moved.config, fresh: moved.secrets }), {
    secrets: { uplink: { ...onlyProxy.uplink, password: 'hush-4' } },
    dropped: ['uplink.url'],
  });
});

test('a secret that is not allowed is named with the file it is in, and not quoted [I5]', () => {
  const verdict = loadConfig({
    file,
    text: '{}',
    secrets: { file: '/state/secrets.json', text: '{"uplink":{"proxy":"hush"}}' },
    environment: {},
  });
  assert.ok(!verdict.ok);
  assert.match(
    verdict.problems[0]?.message ?? '',
    /^uplink\.proxy in \/state\/secrets\.json .*\[redacted\]$/,
  );
});
