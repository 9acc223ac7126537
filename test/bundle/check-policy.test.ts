import assert from 'node:assert/strict';
import test from 'node:test';
import { checkCompatibility } from '../../src/bundle/check-compatibility.ts';
import { checkPolicy } from '../../src/bundle/check-policy.ts';
import { compareVersions } from '../../src/bundle/compare-versions.ts';
import type { PluginManifest } from '../../src/contracts/plugin-manifest.ts';
import { defaultPluginPolicy, type PluginPolicy } from '../../src/contracts/plugin-policy.ts';
import { packed } from './test-bundle.ts';

const { manifest } = packed();

test('the policy names the first thing that a plugin asks for and may not have [P3, P7]', () => {
  const cases: readonly (readonly [string, Partial<PluginPolicy>])[] = [
    ['none', {}],
    ['none', { names: ['demo'] }],
    ['/name', { names: ['other'] }],
    ['/channel', { channels: ['beta'] }],
    ['/level', { levels: ['low', 'medium'] }],
    ['/resources/memoryMaxBytes', { memoryMaxBytes: 67_108_863 }],
    ['/resources/cpuMaxPercent', { cpuMaxPercent: 29 }],
    ['/permissions/emit', { emit: false }],
    ['none', { mqtt: false }],
    ['/permissions/kv/maxBytes', { kvMaxBytes: 1_023 }],
    ['/permissions/serial/0', { serial: [] }],
    ['/permissions/serial/0', { serial: [{ vendor: '0403', product: '6015' }] }],
    ['none', { serial: [{ vendor: '0403' }] }],
    ['none', { serial: [{ vendor: '0403', product: '6001' }] }],
  ];
  for (const [field, changes] of cases) {
    const refusal = checkPolicy(manifest, { ...defaultPluginPolicy, ...changes });
    assert.equal(refusal?.field ?? 'none', field);
    if (refusal !== null) assert.equal(refusal.code, 'bundle.policy-denied');
  }
});

test('whoever asks for every product of a vendor is not served by a rule for one [P7]', () => {
  const all: PluginManifest = { ...manifest, permissions: { serial: [{ vendor: '0403' }] } };
  const policy = { ...defaultPluginPolicy, serial: [{ vendor: '0403', product: '6001' }] };
  assert.equal(checkPolicy(all, policy)?.field, '/permissions/serial/0');
});

test('a plugin for another API, processor or without what it builds on is refused with the field [P3]', () => {
  const host = { arch: 'x64', installed: new Map([['base', '1.10.0']]), apiVersion: '1.3' };
  const cases: readonly (readonly [string, Partial<PluginManifest>])[] = [
    ['none', {}],
    ['none', { api: '1.3' }],
    ['bundle.api-incompatible', { api: '1.4' }],
    ['bundle.api-incompatible', { api: '2.0' }],
    ['bundle.api-incompatible', { api: '0.9' }],
    ['none', { platforms: ['arm64', 'x64'] }],
    ['bundle.platform-incompatible', { platforms: ['arm64'] }],
    ['none', { requires: [{ plugin: 'base', atLeast: '1.9.9' }] }],
    ['bundle.dependency-missing', { requires: [{ plugin: 'base', atLeast: '1.10.1' }] }],
    ['bundle.dependency-missing', { requires: [{ plugin: 'other', atLeast: '0.0.1' }] }],
  ];
  for (const [code, changes] of cases)
    assert.equal(checkCompatibility({ ...manifest, ...changes }, host)?.code ?? 'none', code);
});

test('versions are ordered as semantic versioning says [P3]', () => {
  // The example of clause 11, and numbers that are not words.
  const order =
    '1.0.0-alpha 1.0.0-alpha.1 1.0.0-alpha.beta 1.0.0-beta 1.0.0-beta.2 1.0.0-beta.11 1.0.0-rc.1 1.0.0 1.0.1 1.2.0 1.10.0 2.0.0';
  const versions = order.split(' ');
  for (const [i, a] of versions.entries())
    for (const [j, b] of versions.entries())
      assert.equal(Math.sign(compareVersions(a, b)), Math.sign(i - j), `${a} and ${b}`);
});
