import assert from 'node:assert/strict';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import { verifyBundle } from '../../src/bundle/verify-bundle.ts';
import type { PartHealth } from '../../src/contracts/health.ts';
import { PluginShelf } from '../../src/plugins/control/plugin-shelf.ts';
import { openRegistry } from '../../src/plugins/registry/open-registry.ts';
import type { PluginRecord } from '../../src/plugins/registry/plugin-record.ts';
import { openValidatedBundles } from '../../src/plugins/registry/validated-bundles.ts';
import { startPlugins } from '../../src/plugins/start-plugins.ts';
import { signersOf } from '../../src/trust/signers.ts';
import { recordingMetrics } from '../support/recording-metrics.ts';
import { tempDir } from '../support/temp-dir.ts';
import { testKey } from '../trust/test-keys.ts';
import { openTestWorld } from './plugin-world.ts';
import { signedPlugin } from './test-plugins.ts';

const bundle = { bytes: Buffer.from('bundle'), signatureText: 'signature' };

function record(securityCounter: number, name = 'probe'): PluginRecord {
  const current = { version: '1.0.0', sha256: 'a'.repeat(64), securityCounter, installedAtMs: 0 };
  return {
    ...{ v: 1, name, enabled: true, current, previous: null },
    ...{ highestSecurityCounter: securityCounter, onProbation: false, blocked: null },
  };
}

test('a lower security counter is refused also after a removal, after a damaged record and by the next daemon [P11]', async (t) => {
  const dir = path.join(await tempDir(t), 'plugins');
  const registry = openRegistry(dir);
  const isDowngrade = { code: 'plugins.downgrade', message: /counter is 3, and 4 was installed here once/ };
  await registry.store(record(4), bundle);
  await registry.remove('probe');
  await assert.rejects(registry.store(record(3), bundle), isDowngrade);
  await assert.rejects(openRegistry(dir).store(record(3), bundle), isDowngrade);
  assert.deepEqual((await registry.list()).records, []);
  await registry.store(record(3, 'other'), bundle);
  await registry.store(record(4), bundle);
  await writeFile(path.join(dir, 'probe/plugin.json'), '{');
  assert.deepEqual((await registry.list()).damaged, ['probe']);
  await assert.rejects(registry.store(record(3), bundle), isDowngrade);
  await registry.store(record(5), bundle);
  assert.equal((await registry.list()).records.length, 2);
});

test('a record that is older than the file of counters hands its counter on when it is removed; none above 0 leaves no file [P11]', async (t) => {
  const dir = path.join(await tempDir(t), 'plugins');
  const registry = openRegistry(dir);
  await registry.store(record(0), bundle);
  await registry.remove('probe');
  assert.deepEqual(await readdir(dir), []);
  await registry.store(record(4), bundle);
  await rm(path.join(dir, 'security-floors.json'));
  await registry.remove('probe');
  await assert.rejects(registry.store(record(3), bundle), { code: 'plugins.downgrade' });
});

test('a file of counters that cannot be read lets nothing be installed; what is installed stays [P11]', async (t) => {
  const dir = path.join(await tempDir(t), 'plugins');
  const registry = openRegistry(dir);
  await registry.store(record(4), bundle);
  const file = path.join(dir, 'security-floors.json');
  const before = await readFile(file, 'utf8');
  for (const content of ['', '{"v":1,"floors":{"probe":-1}}', '{"v":1,"floors":{"X":null}}']) {
    await writeFile(file, content);
    await assert.rejects(registry.store(record(9), bundle), {
      code: 'plugins.registry-damaged',
      message: /security-floors\.json.*backup/,
    });
    assert.equal((await registry.list()).records[0]?.current.securityCounter, 4);
  }
  await writeFile(file, before);
  await registry.store(record(9), bundle);
});

test('a lower security counter than that of a removed plugin is refused to who installs it [P11]', {
  timeout: 120_000,
}, async (t) => {
  const { world, dir } = await openTestWorld(t);
  const signers = signersOf([(await testKey('publisher')).public]);
  const bundles = await openValidatedBundles({
    dir: path.join(dir, 'code'),
    verify: ({ bytes, signatureText }, nowMs) => verifyBundle(bytes, signatureText, signers, nowMs),
    trustKey: async () => 'same',
  });
  const shelf = new PluginShelf({ ...world, bundles });
  t.after(() => shelf.stopAll());
  const install = async (securityCounter: number) => {
    const parts = { code: 'export default {};', permissions: {}, subscriptions: [], securityCounter };
    const { bytes, signature } = await signedPlugin(parts);
    const act = await shelf.install(bytes, signature);
    return act.ok ? act.detail : act.code;
  };
  assert.equal(await install(4), 'installed');
  assert.ok((await shelf.remove('probe')).ok);
  assert.equal(await install(3), 'plugins.downgrade');
  assert.deepEqual(await shelf.list(), []);
  assert.equal(await install(4), 'installed');
});

test('a registry that cannot be read is told as that, and not as one without plugins [P11, S7]', {
  timeout: 120_000,
}, async (t) => {
  const { world, dir } = await openTestWorld(t);
  const stateDir = path.join(dir, 'state');
  await openRegistry(path.join(stateDir, 'plugins')).store(record(0), bundle);
  const health: PartHealth[] = [];
  const start = async () => {
    const plugins = await startPlugins({
      ...world,
      ...{ stateDir, runDir: dir, uid: process.getuid?.() ?? 0, metrics: recordingMetrics().plugins },
      verify: async () => ({ ok: false, code: 'trust.document-missing', reason: 'none here' }),
      trustKey: async () => 'none',
      report: (state, why) => void health.push({ state, why } as PartHealth),
      onStatus: () => undefined,
    });
    await plugins.stop();
  };
  await rm(path.join(stateDir, 'plugins'), { recursive: true });
  await start();
  assert.notEqual(health.at(-1)?.state, 'down', 'a folder that is not there yet is no trouble');
  await writeFile(path.join(stateDir, 'plugins'), 'a file where the folder should be');
  await start();
  assert.equal(health.at(-1)?.state, 'down');
  assert.match(health.at(-1)?.why ?? '', /could not be started: read which plugins are installed .*ENOTDIR/);
});
