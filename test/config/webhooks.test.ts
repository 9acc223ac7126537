// The list of webhooks in the configuration: item by item where the sections go key by key.
import assert from 'node:assert/strict';
import test from 'node:test';
import { keepSecrets } from '../../src/config/keep-secrets.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { redactConfig } from '../../src/config/redact-config.ts';
import { nodeAt } from '../../src/config/schema-node.ts';
import { splitSecrets } from '../../src/config/split-secrets.ts';

const file = '/config/autoweave.json';
const secret = `whsec_${Buffer.alloc(24, 'hush').toString('base64')}`;
const till = { name: 'till', url: 'https://till.example/hook?room=7', secret };
const stock = { name: 'stock', url: 'https://stock.example/hook' };
const load = (webhooks: unknown, sealed?: unknown) =>
  loadConfig({
    file,
    text: JSON.stringify({ uplink: { webhooks } }),
    ...(sealed !== undefined && { secrets: { file: '/s.json', text: JSON.stringify(sealed) } }),
    environment: {},
  });

function loaded(webhooks: unknown, sealed?: unknown) {
  const verdict = load(webhooks, sealed);
  assert.ok(verdict.ok, JSON.stringify(verdict));
  return verdict.config;
}

function problemsOf(webhooks: unknown): readonly string[] {
  const verdict = load(webhooks);
  assert.ok(!verdict.ok, JSON.stringify(webhooks));
  return verdict.problems.map(({ code, path }) => `${code} ${path}`);
}

function parts(webhooks: unknown) {
  const verdict = splitSecrets({ file, text: JSON.stringify({ uplink: { webhooks } }) });
  assert.ok(verdict.ok, JSON.stringify(verdict));
  return verdict;
}

test('a webhook that names only its address has every default, and none is shared between two [U8]', () => {
  const [first, second] = loaded([stock, { ...stock, name: 'other' }]).uplink.webhooks;
  assert.deepEqual(first, {
    ...stock,
    types: ['*'],
    timeoutMs: 10_000,
    maxInFlight: 1,
    allowPlainHttp: false,
    backoffMinMs: 1_000,
    backoffMaxMs: 300_000,
  });
  assert.notEqual(first.types, second?.types);
});

test('the list can be given as a variable, and takes the place of the one in the file [U8]', () => {
  const verdict = loadConfig({
    file,
    text: JSON.stringify({ uplink: { webhooks: [till] } }),
    environment: { AUTOWEAVE_UPLINK_WEBHOOKS: JSON.stringify([stock]) },
  });
  assert.ok(verdict.ok, JSON.stringify(verdict));
  assert.deepEqual(
    verdict.config.uplink.webhooks.map(({ name }) => name),
    ['stock'],
  );
});

test('what is wrong with an item is named with its place in the list [Q3]', () => {
  assert.deepEqual(problemsOf([{ ...stock, scret: 'x' }]), ['config.unknown-key uplink.webhooks.0.scret']);
  assert.deepEqual(problemsOf([till, { name: 'a' }]), ['config.missing uplink.webhooks.1.url']);
  assert.deepEqual(problemsOf([{ ...stock, secret: 'whsec_short' }]), [
    'config.not-allowed uplink.webhooks.0.secret',
  ]);
  assert.deepEqual(problemsOf([{ ...stock, types: ['usb.*.added'] }]), [
    'config.not-allowed uplink.webhooks.0.types.0',
  ]);
  assert.deepEqual(problemsOf([till, till]), ['config.conflict uplink.webhooks.1.name']);
  assert.deepEqual(problemsOf([{ ...stock, url: 'https://' }]), ['config.not-allowed uplink.webhooks.0.url']);
  assert.deepEqual(problemsOf([{ ...stock, url: 'https://u:p@host/' }]), [
    'config.not-allowed uplink.webhooks.0.url',
  ]);
  assert.deepEqual(problemsOf([{ ...stock, url: 'http://host/', caFile: '/ca.pem' }]), [
    'config.conflict uplink.webhooks.0.caFile',
  ]);
  assert.deepEqual(problemsOf([{ ...stock, backoffMinMs: 2_000, backoffMaxMs: 1_000 }]), [
    'config.conflict uplink.webhooks.0.backoffMinMs',
  ]);
  assert.deepEqual(problemsOf(['x']), ['config.wrong-type uplink.webhooks.0']);
});

test('the printed configuration shows a webhook without its secrets and the query of its address [M9]', () => {
  const [shown] = redactConfig(loaded([{ ...till, previousSecret: secret }])).uplink.webhooks;
  assert.equal(shown?.secret, '[redacted]');
  assert.equal(shown.previousSecret, '[redacted]');
  assert.equal(shown.url, 'https://till.example/hook?[redacted]');
  assert.equal(shown.timeoutMs, 10_000);
});

test('the secrets of webhooks are parted from a provisioning file, and both together are the file [I5]', () => {
  const { publicText, secrets } = parts([till, stock]);
  assert.doesNotMatch(publicText, /whsec/);
  assert.deepEqual(secrets, { uplink: { webhooks: [till] } });
  const joined = loaded(
    (JSON.parse(publicText) as { uplink: { webhooks: unknown } }).uplink.webhooks,
    secrets,
  );
  assert.deepEqual(joined, loaded([till, stock]));
});

test('a sealed secret is used for the webhook of its name at its address, and for no other [I5]', () => {
  const sealed = { uplink: { webhooks: [till] } };
  const { secret: _, ...bare } = till;
  assert.equal(loaded([bare], sealed).uplink.webhooks[0]?.secret, secret);
  assert.equal(
    loaded([{ ...bare, url: 'https://evil.example/' }], sealed).uplink.webhooks[0]?.secret,
    undefined,
  );
  assert.equal(loaded([{ ...bare, name: 'evil' }], sealed).uplink.webhooks[0]?.secret, undefined);
  assert.equal(loaded([], sealed).uplink.webhooks.length, 0);
});

test('an import keeps the sealed secrets of webhooks that stayed, and says which it forgot [I5]', () => {
  const sealed = { uplink: { webhooks: [till] } };
  const { secret: _, ...bare } = till;
  const keep = (webhooks: readonly object[]) => {
    const { config, secrets: fresh } = parts(webhooks);
    return keepSecrets({ sealed, before: loaded([bare]), after: config, fresh });
  };
  assert.deepEqual(keep([bare, stock]), { secrets: sealed, dropped: [] });
  assert.deepEqual(keep([{ ...bare, url: 'https://elsewhere.example/' }]), {
    secrets: {},
    dropped: ['uplink.webhooks.till'],
  });
  assert.deepEqual(keep([stock]), { secrets: {}, dropped: [] });
  const renewed = { ...till, secret: `whsec_${Buffer.alloc(32, 'new').toString('base64')}` };
  assert.deepEqual(keep([renewed]), { secrets: { uplink: { webhooks: [renewed] } }, dropped: [] });
  const both = [till, { ...stock, secret }];
  assert.deepEqual(keep([bare, { ...stock, secret }]), {
    secrets: { uplink: { webhooks: both } },
    dropped: [],
  });
});

test('every key of an item whose name speaks of a secret is marked as one, and every key is described [Q3]', () => {
  const items = nodeAt(['uplink', 'webhooks', '0'])?.properties ?? {};
  assert.ok(Object.keys(items).length > 8);
  for (const [key, node] of Object.entries(items)) {
    assert.notEqual(node.description ?? '', '', key);
    assert.equal(node.secret === true, /secret|password|token/i.test(key), key);
  }
});
