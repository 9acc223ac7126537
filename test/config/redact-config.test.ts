import assert from 'node:assert/strict';
import test from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { configSchema } from '../../src/config/config-schema.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { variableOf } from '../../src/config/read-environment.ts';
import { redactConfig } from '../../src/config/redact-config.ts';
import { keysOf, sections } from '../../src/config/schema-node.ts';

function loaded(content: object) {
  const verdict = loadConfig({ file: null, text: JSON.stringify(content), environment: {} });
  assert.ok(verdict.ok, JSON.stringify(verdict));
  return verdict.config;
}

test('a printed configuration has no secret in it, and the configuration itself keeps them [Q3]', () => {
  const config = loaded({
    buffer: { password: 'hush-1' },
    uplink: {
      url: 'mqtts://user:hush-2@broker:8883',
      username: 'user',
      password: 'hush-3',
      proxy: 'http://user:hush-4@proxy:3128',
    },
  });
  const redacted = redactConfig(config);
  assert.doesNotMatch(JSON.stringify(redacted), /hush/);
  assert.equal(redacted.uplink.url, 'mqtts://[redacted]@broker:8883');
  assert.equal(redacted.uplink.password, '[redacted]');
  assert.equal('clientId' in redacted.uplink, false, 'what is not set is not shown as a secret');
  assert.equal(config.uplink.password, 'hush-3');
});

test('every field whose name speaks of a secret is marked as one [Q3]', () => {
  const unmarked = Object.keys(sections).flatMap((section) =>
    Object.entries(keysOf(section))
      .filter(([key, node]) => /password|secret|token|passphrase/i.test(key) && node.secret !== true)
      .map(([key]) => `${section}.${key}`),
  );
  assert.deepEqual(unmarked, []);
});

test('the printed schema is valid JSON Schema, allows any part of a configuration and refuses unknown keys [Q3]', () => {
  const validate = new Ajv2020({ strict: true, keywords: ['secret'] }).compile(configSchema());
  assert.ok(validate({}));
  assert.ok(validate({ usb: { debounceMs: 5 } }));
  assert.ok(validate(loaded({})));
  assert.equal(validate({ usb: { debouncems: 5 } }), false);
  assert.equal(validate({ usb: { debounceMs: -5 } }), false);
});

test('every field is described and has a variable of its own [Q3]', () => {
  const fields = Object.keys(sections).flatMap((section) =>
    Object.entries(keysOf(section)).map(([key, node]) => ({ section, key, node })),
  );
  const variables = new Set(fields.map(({ section, key }) => variableOf(section, key)));
  assert.ok(fields.length > 30);
  assert.equal(variables.size, fields.length);
  assert.ok(variables.has('AUTOWEAVE_USB_PORT_EVENTS_PER_SECOND'));
  assert.deepEqual(
    fields.filter(({ node }) => (node.description ?? '') === ''),
    [],
  );
});
