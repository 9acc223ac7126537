import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import test from 'node:test';
import { runCli } from '../../src/cli/run-cli.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { redactConfig } from '../../src/config/redact-config.ts';
import { keysOf, sections } from '../../src/config/schema-node.ts';
import { tempDir } from '../support/temp-dir.ts';

const long = 'SECRET'.repeat(40);

/** Addresses as people write them, none of which may be shown with what is secret in it. */
const addresses: readonly string[] = [
  'mqtts://user:SECRET@host:8883',
  'mqtts://user:pa/SECRET@host:8883',
  'mqtts://user:1883/SECRET@host',
  'mqtts://user:pa?SECRET@host',
  'mqtts://user?SECRET@host',
  'mqtts://user#SECRET@host',
  'mqtts://user:SECRET#x@host',
  'mqtts://user:pa@SECRET@host',
  'mqtts://user:p SECRET@host',
  'mqtts://user:p\nSECRET@host',
  'mqtts://user:p"SECRET@host',
  'mqtts://user:SECRET@host:none',
  'mqtts://user:SECRET@',
  'mqtts://user:SECRET',
  'mqtts:///SECRET',
  'wss://host/mqtt?token=SECRET',
  'wss://u:p@host/mqtt?token=SECRET',
  'wss://host/mqtt#SECRET',
  'http://user:SECRET@host',
  'amqp://user/SECRET',
  '//user:SECRET@host',
  'user:SECRET@host',
  'user:SECRET@mqtts://host',
  'mqtts:user:SECRET@host',
  'mqtts:/user:SECRET@host',
  ' mqtts://user:SECRET@host',
  `mqtts://user:${long}@host`,
  `http://user:${long}@host`,
  `${long}@host`,
  '-----BEGIN PRIVATE KEY-----\nSECRET\n-----END PRIVATE KEY-----',
  '-----BEGIN PRIVATE KEY-----SECRET',
];

const fields = Object.keys(sections).flatMap((section) =>
  Object.keys(keysOf(section)).map((key) => [section, key] as const),
);

/** A configuration for every place where the address may have been put. */
function misplaced(address: string): readonly (readonly [string, unknown])[] {
  const item = { name: 'till', url: 'https://host/' };
  const webhooks = [
    { ...item, url: address },
    { ...item, name: address },
    { ...item, secret: address, previousSecret: [address] },
    { ...item, types: [address], timeoutMs: address },
    { ...item, [address]: address },
  ];
  const shapes = [address, [address], [[address], 5], { url: address }];
  return [
    ...shapes.map((shape) => ['the whole file', shape] as const),
    ...Object.keys(sections).flatMap((section) =>
      shapes.slice(0, 3).map((shape) => [section, { [section]: shape }] as const),
    ),
    ...fields.flatMap(([section, key]) =>
      shapes.map((shape) => [`${section}.${key}`, { [section]: { [key]: shape } }] as const),
    ),
    ...webhooks.map(
      (webhook) => ['an item of uplink.webhooks', { uplink: { webhooks: [webhook] } }] as const,
    ),
    ['beside a conflict', { uplink: { url: address, caFile: '/ca.pem' } }],
    ['a section', { [address]: {} }],
    ['a key', { usb: { [address]: 1 } }],
  ];
}

/** What a person could be shown of it. */
function shown(content: string, environment: Readonly<Record<string, string>> = {}): string {
  const verdict = loadConfig({ file: 'edge.json', text: content, environment });
  return JSON.stringify(verdict.ok ? redactConfig(verdict.config) : verdict.problems);
}

/** A field that takes any text shows it as it is, where nothing in the text says that it is an address with a user. */
const isPlain = (place: string, content: unknown, address: string) =>
  place !== 'uplink.url' &&
  !/:\/\/.*@/s.test(address) &&
  loadConfig({ file: null, text: JSON.stringify(content), environment: {} }).ok;

test('no address shows its password, wherever in the configuration it stands [Q3]', () => {
  for (const address of addresses) {
    for (const [place, content] of misplaced(address)) {
      if (isPlain(place, content, address)) continue;
      assert.doesNotMatch(shown(JSON.stringify(content)), /SECRET/, `${place}: ${address}`);
    }
    const twice = JSON.stringify(address);
    assert.doesNotMatch(
      shown(`{${twice}:{},${twice}:{}}`),
      /SECRET/,
      `a key that is there twice: ${address}`,
    );
    for (const variable of ['UPLINK_URL', 'USB_MONITOR_COMMAND', 'USB_BURST', 'USB_SIMULATED', address]) {
      const text = shown('{}', { [`AUTOWEAVE_${variable}`]: address });
      assert.doesNotMatch(text, /SECRET/, `the variable ${variable}: ${address}`);
    }
  }
});

test('a secret of any type is not shown, nor is a section that is no object [Q3]', () => {
  for (const value of ['SECRET', ['SECRET'], { SECRET: 'SECRET' }, [{ a: 'SECRET' }]]) {
    for (const section of Object.keys(sections).filter(
      () => typeof value === 'string' || Array.isArray(value),
    ))
      assert.doesNotMatch(shown(JSON.stringify({ [section]: value })), /SECRET/, section);
    for (const [section, key] of fields.filter(([at, name]) => keysOf(at)[name]?.secret === true))
      assert.doesNotMatch(shown(JSON.stringify({ [section]: { [key]: value } })), /SECRET/, key);
    assert.doesNotMatch(shown(JSON.stringify(value === 'SECRET' ? value : [value])), /SECRET/);
  }
});

test('what is shown of an invalid address still tells the scheme and the host [Q3]', () => {
  const of = (url: string) => shown(JSON.stringify({ uplink: { url } }));
  assert.match(
    of('mqtts://user:SECRET@host:none'),
    /is no complete address: \\"mqtts:\/\/\[redacted\]@host:none/,
  );
  assert.match(of('http://broker'), /but is \\"http:\/\/…\\"/);
  assert.match(of('broker:1883'), /but is text without a scheme/);
});

test('the commands and the refused start of the daemon show no password either [Q3]', async (t) => {
  const file = path.join(await tempDir(t), 'edge.json');
  for (const content of [
    { uplink: { url: `mqtt://u:${long}@host`, caFile: '/x' } },
    { uplink: { url: 'mqtts://user:SECRETpa/ssword@host:8883' } },
    { uplink: 'mqtts://user:SECRET@host', buffer: ['SECRET'] },
    { uplink: { url: 'mqtts://user:1883/SECRET@host' } },
  ]) {
    await writeFile(file, JSON.stringify(content));
    for (const argv of [['check'], ['check', '--json'], ['show'], ['show', '--json']]) {
      const output = new PassThrough();
      await runCli({
        argv: ['config', ...argv, '--config', file],
        environment: {},
        stdout: output,
        stderr: output,
      });
      output.end();
      assert.doesNotMatch(await text(output), /SECRET/, argv.join(' '));
    }
  }
  await writeFile(
    file,
    JSON.stringify({ uplink: { url: `mqtt://u:${long}@host`, caFile: '/x' }, buffer: ['SECRET'] }),
  );
  const main = path.resolve(import.meta.dirname, '../../src/supervisor/main.ts');
  const daemon = spawnSync(process.execPath, [main, 'daemon', '--config', file], {
    encoding: 'utf8',
    env: {},
  });
  assert.equal(daemon.status, 2, daemon.stderr);
  assert.match(daemon.stderr, /config\.wrong-type buffer/);
  assert.doesNotMatch(daemon.stdout + daemon.stderr, /SECRET/);
});
