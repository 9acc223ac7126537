import assert from 'node:assert/strict';
import test from 'node:test';
import { packBundle } from '../../src/bundle/pack-bundle.ts';
import type { PluginManifest } from '../../src/contracts/plugin-manifest.ts';
import { judgeManifest } from '../../src/plugins/supervise/judge-manifest.ts';
import { goodMembers, source } from '../bundle/test-bundle.ts';

type Schema = Readonly<Record<string, unknown>>;

const ofText = (a: Schema, rest: Schema = {}) => ({ type: 'object', properties: { a }, ...rest });

/** Each step asks the next one twice: years, and a list of errors as long. */
function doubling(keyword: string): Schema {
  const $defs: Record<string, unknown> = { d40: { type: 'string', const: 'x' } };
  for (let at = 0; at < 40; at++) {
    const next = { $ref: `#/$defs/d${at + 1}` };
    $defs[`d${at}`] = { [keyword]: [next, next] };
  }
  return ofText({ $ref: '#/$defs/d0' }, { $defs });
}

function scanned(configSchema: Schema): string {
  const verdict = packBundle({ ...source, configSchema }, goodMembers());
  return verdict.ok ? 'taken' : `${verdict.code} ${verdict.field}`;
}

function judged(configSchema: Schema, settings: Schema) {
  const manifest: PluginManifest = { ...source, configSchema, members: [] };
  const config = {
    settings: { demo: { ...settings } },
    mostPlugins: 16,
    recycleAfterEvents: 0,
    recycleAtMemoryPercent: 0,
  };
  return judgeManifest(manifest, { config, arch: 'x64', installed: new Map() });
}

test('a configSchema that answers with a promise, or cannot be compiled, is refused wherever it says so [P3]', async () => {
  const refused = 'bundle.config-schema-invalid /configSchema';
  for (const schema of [
    { $async: true, type: 'object', required: ['a'], properties: { a: {} } },
    ofText({ $async: true, type: 'string' }),
    ofText({ $ref: '#/$defs/b' }, { $defs: { b: { $async: true } } }),
    { $ref: 'http://elsewhere.example/schema' },
    { $ref: '#' },
    { type: 'objekt' },
  ]) {
    assert.equal(scanned(schema), refused, JSON.stringify(schema));
    const judgement = judged(schema, {});
    assert.equal(judgement.ok ? 'taken' : judgement.code, 'plugins.config-refused', JSON.stringify(schema));
  }
  // A rejection that nobody waits for would end this process here.
  await new Promise(setImmediate);
  assert.equal(scanned(ofText({ type: 'string', const: 'no "$async": here' })), 'taken');
});

test('a configSchema that never ends, or ends in too deep a stack, is a refusal within seconds [P3]', {
  timeout: 120_000,
}, () => {
  const text = `${'a'.repeat(60)}!`;
  for (const [schema, a] of [
    [ofText({ type: 'string', pattern: '^(a+)+$' }), text],
    [doubling('allOf'), 'x'],
    [doubling('anyOf'), 'y'],
    [ofText({ $ref: '#/$defs/b' }, { $defs: { b: { $ref: '#/$defs/c' }, c: { $ref: '#/$defs/b' } } }), 'x'],
    [ofText({ $dynamicAnchor: 'm', $dynamicRef: '#m' }), 'x'],
  ] as const) {
    const beganMs = performance.now();
    const judgement = judged(schema, { a });
    assert.match(judgement.ok ? 'taken' : judgement.reason, /^plugins\.settings\.demo cannot be checked by/);
    // 1 s on a quiet machine.
    assert.ok(performance.now() - beganMs < 20_000);
  }
});

test('what fits an ordinary configSchema is taken, what does not is told with its field [P3]', () => {
  const schema = ofText({ type: 'string', pattern: '^[a-z]+$', description: 'Small letters.' });
  assert.equal(judged(schema, { a: 'x' }).ok, true);
  const judgement = judged(schema, { a: 'X' });
  assert.equal(
    judgement.ok ? 'taken' : judgement.reason,
    'plugins.settings.demo.a must match pattern "^[a-z]+$" (Small letters.): correct it in the configuration',
  );
});
